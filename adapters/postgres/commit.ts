import type { Commit, CommitResult, Refusal, StoredEvent } from "@taskcast/core/adapter";
import { checkCommit, WORK_KINDS } from "@taskcast/core/adapter";
import type { Changes } from "./rows/changes.ts";
import { TaskState } from "./rows/task_state.ts";

/** The outcome of a commit. Repeated events are given by index, and are still to be read. */
export type Decision =
  | { ok: false; refusal: Refusal }
  | { ok: true; events: (StoredEvent | number)[]; from: number; length: number; hooked: boolean };

/**
 * Applies a commit to the tasks that were read, or refuses it before anything changes.
 *
 * @param tasks The locked tasks. A task that is created is added.
 * @param number The number of a task that is created.
 * @param isClosed Whether a tombstone closes the id.
 */
export function decide(
  tasks: Map<string, TaskState>,
  changes: Changes,
  commit: Commit,
  { number, isClosed }: { number: number; isClosed: boolean },
): Decision {
  const { taskId, events, nowMs, record, due, schedule = {} } = commit;
  const known = tasks.get(taskId);
  const checked = checkCommit(known, commit, isClosed);
  if ("code" in checked) return { ok: false, refusal: checked };
  const { repeats, progress } = checked;
  known?.addSent(progress);
  const state = known ?? TaskState.create(number, record!, changes);
  tasks.set(taskId, state);
  const { row } = state;
  const from = row.length;
  const stored = events.map((draft, at) => repeats[at] ?? state.append(draft, nowMs));
  if (record !== undefined) state.replace(record, due ?? {});
  if (record !== undefined || row.length > from) {
    for (const kind of WORK_KINDS) {
      const atMs = schedule[kind];
      if (atMs === undefined || (kind === "deliver" && !row.hooked)) continue;
      changes.schedule(row.task, kind, atMs);
    }
  }
  return { ok: true, events: stored, from, length: row.length, hooked: row.hooked };
}

/** Returns the result of a decision, once the events that it repeats are read. */
export function resultOf(
  decision: Decision,
  eventAt: (index: number) => StoredEvent,
): CommitResult {
  if (!decision.ok) return decision;
  const { from, length, hooked } = decision;
  const events = decision.events.map((event) => typeof event === "number" ? eventAt(event) : event);
  return { ok: true, events, from, length, ...(hooked && { hooked }) };
}
