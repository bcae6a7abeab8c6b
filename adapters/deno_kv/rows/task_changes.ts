import type {
  LeaseRenewal,
  RevisionExpectation,
  TaskRevision,
  Tombstone,
  Work,
} from "@taskcast/core/adapter";
import { isAtRevision } from "@taskcast/core/adapter";
import type { Database } from "../connection/database.ts";
import type { Keys } from "../keys.ts";
import { deleteTask, setLeaseDue, setWorkTime } from "./record.ts";
import type { TaskWork } from "../task_queue.ts";
import type { ClosedId } from "./values.ts";

/** Changes nothing, but running it finishes an oversized commit that was started. */
export const FINISH_PENDING: TaskWork<void> = { plan: () => {} };

/** Deletes a task, and closes its id or opens it. Returns whether it did. */
export function deleting(
  { kv, keys }: Database,
  at: RevisionExpectation | undefined,
  closing: Tombstone | undefined,
): TaskWork<boolean> {
  let closed: ClosedId | null = null;
  return {
    endsTurn: true,
    async load({ taskId }) {
      closed = closing === undefined
        ? (await kv.get(keys.closedId(taskId))).value as ClosedId | null
        : null;
    },
    plan(state, changes) {
      const { head, taskId } = state;
      const isOpened = closed !== null &&
        (at === undefined || at.incarnation === closed.incarnation);
      if (isOpened) changes.delete(keys.closedId(taskId));
      if (head === undefined || !isAtRevision(head, at)) return false;
      deleteTask(keys, state, changes);
      if (closing !== undefined) {
        const { nowMs, untilMs } = closing;
        const tombstone: ClosedId = { incarnation: head.incarnation, untilMs };
        changes.set(keys.closedId(taskId), tombstone, Math.max(1, untilMs - nowMs));
      }
      return true;
    },
  };
}

/** Sets a scheduled time. Returns whether the task was at the expected revision. */
export function scheduling(
  keys: Keys,
  { work, atMs, expected }: {
    work: Work;
    atMs: number | undefined;
    expected?: RevisionExpectation;
  },
): TaskWork<boolean> {
  return {
    plan(state, changes) {
      if (state.head === undefined || !isAtRevision(state.head, expected)) return false;
      setWorkTime(keys, state, changes, work, atMs);
      return true;
    },
  };
}

/** Sets the expiry of a lease. Returns whether the task has the lease. */
export function renewing(keys: Keys, { lease, untilMs }: LeaseRenewal): TaskWork<boolean> {
  return {
    plan(state, changes) {
      if (state.head === undefined || state.head.lease !== lease) return false;
      setLeaseDue(keys, state, changes, untilMs);
      return true;
    },
  };
}

/** Moves a due time. Returns whether it was still that. */
export function claiming(
  keys: Keys,
  { work, atMs, untilMs }: { work: Work; atMs: number; untilMs: number },
): TaskWork<boolean> {
  return {
    plan(state, changes) {
      if (state.head?.marks[work] !== atMs) return false;
      setWorkTime(keys, state, changes, work, untilMs);
      return true;
    },
  };
}

/** Records what the archive has. Returns whether the task still exists. */
export function archiving(
  keys: Keys,
  at: TaskRevision,
  { againAtMs, releaseAtMs }: { againAtMs: number; releaseAtMs?: number },
): TaskWork<boolean> {
  return {
    plan(state, changes) {
      if (state.head === undefined) return false;
      const isThere = isAtRevision(state.head, at);
      setWorkTime(keys, state, changes, "archive", isThere ? undefined : againAtMs);
      if (isThere && releaseAtMs !== undefined) {
        setWorkTime(keys, state, changes, "release", releaseAtMs);
      }
      return isThere;
    },
  };
}
