import type { StoredEvent, TaskHead, TaskRecord } from "../../contracts/records.ts";
import type { TaskReader } from "../../contracts/task_reader.ts";
import type { Task } from "../../protocol/task.ts";
import type { NamedRule } from "../../domain/retention/cleanup.ts";
import { takesEvent } from "../../domain/retention/cleanup.ts";
import type { EngineContext } from "../../context/context.ts";
import { deleteTask } from "../delete_task.ts";
import { findTrims, mayGo } from "./find_trims.ts";

/** The result, or in a dry run the expected result, of cleaning one task. */
export interface CleanupReport {
  /** The task before the clean-up. */
  task: Task;
  /** Names of the rules that were due. */
  rules: string[];
  /** `deleted`: the task with its log. `trimmed`: events of its log. */
  action: "deleted" | "trimmed";
  /** Number of deleted events. */
  events: number;
}

/** Options of {@linkcode cleanTask}. */
export interface CleanOptions {
  /** Changes nothing. */
  dryRun?: boolean;
  /** Called between parts of a long log. */
  renew?: () => Promise<void>;
  /** Stops between parts of a long log. A later call continues there. */
  signal?: AbortSignal;
}

/**
 * Applies the due rules to an ended task. Idempotent, and safe to run on several instances.
 *
 * @returns `undefined` if there was nothing to do.
 */
export async function cleanTask(
  context: EngineContext,
  { record, length }: TaskHead,
  due: readonly NamedRule[],
  { dryRun = false, renew, signal }: CleanOptions = {},
): Promise<CleanupReport | undefined> {
  const { task, incarnation } = record;
  const deleting = due.filter(({ rule }) => rule.target !== "events");
  if (deleting.length > 0) {
    if (!dryRun && !await deleteTask(context, task.id, incarnation)) return undefined;
    return { task, rules: namesOf(deleting), action: "deleted", events: length };
  }
  const { store, archive, reader, clock, options: { pageSize } } = context;
  const nowMs = clock.now();
  if (!await hasEventsFor(reader, record, due, nowMs)) return undefined;
  const takes = (event: StoredEvent) => due.some(({ rule }) => takesEvent(rule, event, nowMs));
  let events = 0;
  for await (const trim of findTrims(reader, { taskId: task.id, incarnation, takes, pageSize })) {
    if (dryRun) {
      events += trim.indexes.length;
      continue;
    }
    // The archive first. The hot copy is what is searched, so after an interruption in between, the events
    // that are gone only from the archive are found again.
    const cold = await archive?.trimLog(task.id, incarnation, trim) ?? 0;
    const hot = await store.trimLog(task.id, incarnation, trim);
    events += Math.max(cold, hot);
    if (signal?.aborted) break;
    await renew?.();
  }
  return events === 0 ? undefined : { task, rules: namesOf(due), action: "trimmed", events };
}

/** Returns whether a rule still deletes any event of a task. Cheap if none is left. */
export async function hasEventsFor(
  reader: TaskReader,
  { task: { id }, incarnation }: TaskRecord,
  rules: readonly NamedRule[],
  nowMs: number,
): Promise<boolean> {
  for (const { rule } of rules) {
    const { types, levels } = rule.eventFilter ?? {};
    for (let after = -1;;) {
      const page = await reader.readLog(id, { after, limit: 32, filter: { types, levels } });
      if (page === undefined || page.incarnation !== incarnation) return false;
      const newest = page.length - 1;
      if (page.events.some((event) => mayGo(event, newest) && takesEvent(rule, event, nowMs))) {
        return true;
      }
      after = page.scannedTo;
      if (after >= newest) break;
    }
  }
  return false;
}

function namesOf(rules: readonly NamedRule[]): string[] {
  return rules.map(({ name }) => name);
}
