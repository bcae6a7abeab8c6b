import assert from "node:assert/strict";
import type { DueTimes, EventDraft, StoredEvent, TaskRecord } from "../contracts/records.ts";
import type {
  Commit,
  CommitResult,
  Refusal,
  ShortTermStore,
} from "../contracts/short_term_store.ts";
import type { Task } from "../protocol/task.ts";

// Tasks, drafts and commits for the checks of stores.

/** The incarnation of every task of the checks, unless a check gives another. */
export const INCARNATION = "0123abcd";

/** The time of every commit of the checks, unless a check gives another. */
export const NOW = 1_700_000_000_000;

export function record(id: string, changes: Partial<Task> = {}, version = 1): TaskRecord {
  const task: Task = { id, status: "pending", createdAt: NOW, updatedAt: NOW, ...changes };
  return { task, incarnation: INCARNATION, version };
}

let entropy = 0;

/** A draft whose data is `value`. */
export function draft(value: unknown = null, changes: Partial<EventDraft> = {}): EventDraft {
  return {
    entropy: ++entropy,
    type: "step",
    level: "info",
    data: JSON.stringify(value),
    ...changes,
  };
}

/** Returns a draft of the `accumulate` series `answer`, unless `changes` say otherwise. */
export function delta(text: string, changes: Partial<EventDraft> = {}): EventDraft {
  return draft({ delta: text }, {
    seriesId: "answer",
    seriesMode: "accumulate",
    accField: "delta",
    delta: text,
    ...changes,
  });
}

const BOUNDS = { maxEvents: 1_000_000, maxBytes: 1_000_000_000 };

export async function commit(
  store: ShortTermStore,
  change: Partial<Commit> & Pick<Commit, "taskId" | "expect">,
): Promise<CommitResult> {
  return await store.commit({ events: [], nowMs: NOW, ...BOUNDS, ...change });
}

/** Creates a task; fails if it exists. */
export async function create(
  store: ShortTermStore,
  taskId: string,
  changes: Partial<Task> = {},
  due: DueTimes = {},
): Promise<TaskRecord> {
  const created = record(taskId, changes);
  const result = await commit(store, { taskId, expect: "absent", record: created, due });
  assert(result.ok);
  return created;
}

/** Appends events; fails if the store refuses them. */
export async function append(
  store: ShortTermStore,
  taskId: string,
  ...events: EventDraft[]
): Promise<StoredEvent[]> {
  const result = await commit(store, { taskId, expect: "live", events });
  assert(result.ok, result.ok ? "" : `refused: ${result.refusal.code}`);
  return result.events;
}

/** Replaces the record of a task that is at version 1. */
export async function replace(
  store: ShortTermStore,
  taskId: string,
  changes: Partial<Task>,
  { due = {}, events = [] }: { due?: DueTimes; events?: EventDraft[] } = {},
): Promise<CommitResult> {
  return await commit(store, {
    taskId,
    expect: { version: 1, incarnation: INCARNATION },
    record: record(taskId, changes, 2),
    due,
    events,
  });
}

/** Asserts that a commit was refused with this refusal. */
export function assertRefused(result: CommitResult, refusal: Refusal): void {
  assert.equal(result.ok, false);
  if (result.ok) return;
  // A field that is left out equals one that is undefined.
  assert.deepEqual(JSON.parse(JSON.stringify(result.refusal)), refusal);
}

/** Returns the whole log of a task. */
export async function log(store: ShortTermStore, taskId: string): Promise<StoredEvent[]> {
  const page = await store.readLog(taskId, { after: -1, limit: 1_000_000 });
  return page?.events ?? [];
}

/** Returns the parsed data of a task's events. */
export async function values(store: ShortTermStore, taskId: string): Promise<unknown[]> {
  return (await log(store, taskId)).map(({ data }) => JSON.parse(data));
}
