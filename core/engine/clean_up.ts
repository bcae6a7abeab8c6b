import type { Task } from "../protocol/task.ts";
import { dueRules, rulesOf } from "../domain/retention/cleanup.ts";
import { createContext } from "./create_context.ts";
import type { TaskEngineOptions } from "./options.ts";
import type { CleanupReport } from "../background/cleanup/clean_task.ts";
import { cleanTask } from "../background/cleanup/clean_task.ts";
import { EndedTasks } from "../background/cleanup/ended_tasks.ts";
import { isReady } from "../background/cleanup/is_ready.ts";

/** What {@linkcode cleanUp} works on. */
export interface CleanUpOptions extends
  Pick<
    TaskEngineOptions,
    "broadcast" | "shortTermStore" | "longTermStore" | "cleanup" | "options" | "clock"
  > {
  /** Only tells what would be done. @default {false} */
  dryRun?: boolean;
}

/**
 * Carries out the clean-up rules that are due on all tasks that have ended, once: what an engine does
 * by itself as time goes by. May run beside any number of engines. Leaves out, as engines do, what
 * the archive or a webhook does not have yet.
 *
 * @returns What it did, or would do, task by task.
 * @throws {TaskcastError} `INVALID_INPUT` for rules that are none; `STORE_UNAVAILABLE`.
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
    // What was deleted is deleted: readers who are not told find it out by themselves.
    if (operation !== "broadcast") throw error;
  });
  const { reader, clock, cleanupRules } = context;
  const dueOf = (task: Task) => dueRules(rulesOf(cleanupRules, task), task, clock.now());
  const ended = new EndedTasks(reader);
  for (let page = await ended.next(); page.length > 0; page = await ended.next()) {
    for (const { task: { id } } of page.filter(({ task }) => dueOf(task).length > 0)) {
      const head = await reader.getTask(id);
      // Not what was due of the listed task: the id may live again since.
      const due = head === undefined ? [] : dueOf(head.record.task);
      if (head === undefined || due.length === 0 || !await isReady(context, head, due)) continue;
      const report = await cleanTask(context, head, due, { dryRun });
      if (report !== undefined) yield report;
    }
  }
}
