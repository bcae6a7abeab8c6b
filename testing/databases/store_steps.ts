import assert from "node:assert/strict";
import type {
  Commit,
  CommitResult,
  EventDraft,
  ShortTermStore,
  StoredEvent,
  TaskRecord,
} from "@taskcast/core/adapter";
import type { Task } from "@taskcast/core/protocol";

/** The incarnation of every task in these steps. */
export const INCARNATION = "0123abcd";

/** The time of every commit in these steps. */
export const NOW = 1_700_000_000_000;

export function draft(value: unknown, changes: Partial<EventDraft> = {}): EventDraft {
  return { entropy: 1, type: "step", level: "info", data: JSON.stringify(value), ...changes };
}

export async function commitOf(
  store: ShortTermStore,
  change: Partial<Commit> & Pick<Commit, "taskId" | "expect">,
): Promise<CommitResult> {
  return await store.commit({ events: [], nowMs: NOW, maxEvents: 1e6, maxBytes: 1e9, ...change });
}

export async function create(
  store: ShortTermStore,
  id: string,
  changes: Partial<Task> = {},
): Promise<TaskRecord> {
  const task: Task = { id, status: "pending", createdAt: NOW, updatedAt: NOW, ...changes };
  const record = { task, incarnation: INCARNATION, version: 1 };
  assert((await commitOf(store, { taskId: id, expect: "absent", record, due: {} })).ok);
  return record;
}

export async function append(
  store: ShortTermStore,
  taskId: string,
  ...events: EventDraft[]
): Promise<StoredEvent[]> {
  const result = await commitOf(store, { taskId, expect: "live", events });
  assert(result.ok, JSON.stringify(result));
  return result.events;
}

export async function logOf(store: ShortTermStore, taskId: string): Promise<StoredEvent[]> {
  return (await store.readLog(taskId, { after: -1, limit: 1_000_000 }))?.events ?? [];
}
