import type { Task } from "../../protocol/task.ts";
import { dueRules, rulesOf } from "../../domain/retention/cleanup.ts";
import { createContext } from "../create_context.ts";
import type { TaskEngineOptions } from "../options.ts";
import type { CleanupReport } from "../../background/cleanup/clean_task.ts";
import { cleanTask } from "../../background/cleanup/clean_task.ts";
import { EndedTasks } from "../../background/cleanup/ended_tasks.ts";
import { isReady } from "../../background/cleanup/is_ready.ts";

/** The stores and rules that {@linkcode cleanUp} works with. */
export interface CleanUpOptions extends
  Pick<
    TaskEngineOptions,
    "broadcast" | "shortTermStore" | "longTermStore" | "cleanup" | "options" | "clock"
  > {
  /** Reports what would be deleted, and changes nothing. @default {false} */
  dryRun?: boolean;
}

/**
 * Applies the due clean-up rules to all ended tasks once. An engine does the same by itself over time, and
 * this may run beside any number of engines. Like an engine, it skips tasks that the archive or a webhook
 * does not have completely.
 *
 * @returns A report for each task that it changed, or would change.
 * @throws {TaskcastError} `INVALID_INPUT` for invalid rules; `STORE_UNAVAILABLE`.
 *
 * @example What would go?
 * ```ts
 * import { cleanUp, MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
 * import assert from "node:assert/strict";
 *
 * const stores = {
 *   broadcast: new MemoryBroadcastProvider(),
 *   shortTermStore: new MemoryShortTermStore(),
 * };
 * const engine = new TaskEngine(stores);
 * const { id } = await engine.createTask({ type: "import" });
 * await engine.transitionTask(id, "cancelled");
 *
 * const rules = [{ name: "at once", trigger: { afterMs: 0 }, target: "all" as const }];
 * const found = await Array.fromAsync(cleanUp({ ...stores, cleanup: { rules }, dryRun: true }));
 * assert.deepEqual(found.map(({ task, rules, action }) => [task.id, rules, action]), [
 *   [id, ["at once"], "deleted"],
 * ]);
 * await engine.close();
 * ```
 */
export async function* cleanUp(
  { dryRun = false, ...options }: CleanUpOptions,
): AsyncGenerator<CleanupReport, void> {
  const context = createContext(options, (error, { operation }) => {
    // A failed wake-up does not undo a deletion. Readers find out at their next poll.
    if (operation !== "broadcast") throw error;
  });
  const { reader, clock, cleanupRules } = context;
  const dueOf = (task: Task) => dueRules(rulesOf(cleanupRules, task), task, clock.now());
  const ended = new EndedTasks(reader);
  for (let page = await ended.next(); page.length > 0; page = await ended.next()) {
    for (const { task: { id } } of page.filter(({ task }) => dueOf(task).length > 0)) {
      const head = await reader.getTask(id);
      // Checked again, because a new task may have taken the id since it was listed.
      const due = head === undefined ? [] : dueOf(head.record.task);
      if (head === undefined || due.length === 0 || !await isReady(context, head, due)) continue;
      const report = await cleanTask(context, head, due, { dryRun });
      if (report !== undefined) yield report;
    }
  }
}
