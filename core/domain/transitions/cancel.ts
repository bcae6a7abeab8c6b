import type { TaskRecord } from "../../contracts/records.ts";
import type { CancelRequest, TaskCancel } from "../../protocol/cancel.ts";
import { DEFAULT_GRACE_MS } from "../../protocol/cancel.ts";
import { TaskcastError } from "../../protocol/errors.ts";
import { SERVER_EVENT } from "../../protocol/event.ts";
import { isTerminal } from "../../protocol/status.ts";
import { leaseLost } from "./lease.ts";
import type { Change } from "./transition.ts";
import { move } from "./transition.ts";

// A request to cancel is not a status: it is a field of the task. Until its deadline the producer may end
// the task in any way, so that last words, usage and partial results are kept.

/**
 * Requests that a task is stopped. A task that nobody works on, or that gets no time, is cancelled at once.
 *
 * @returns `undefined` if the request was made before, or if it has ended the task: nothing changes.
 * @throws {TaskcastError} `TASK_TERMINAL` if the task has ended otherwise.
 */
export function requestCancel(
  record: TaskRecord,
  { reason, by, graceMs = DEFAULT_GRACE_MS }: CancelRequest,
  nowMs: number,
): Change | undefined {
  const { task, lease } = record;
  const { id, status } = task;
  if (isTerminal(status) && (status !== "cancelled" || task.cancel === undefined)) {
    throw new TaskcastError("TASK_TERMINAL", `Cannot cancel task "${id}": it is "${status}"`, {
      details: { taskId: id, status },
    });
  }
  if (task.cancel !== undefined) return undefined;
  const isIdle = (status === "pending" || status === "assigned") && lease === undefined;
  const cancel: TaskCancel = {
    requestedAt: nowMs,
    ...(by !== undefined && { by }),
    ...(reason !== undefined && { reason }),
    deadlineAt: isIdle ? nowMs : nowMs + graceMs,
  };
  const requested: TaskRecord = { ...record, task: { ...task, cancel } };
  if (cancel.deadlineAt === nowMs) return forceCancel(requested, nowMs);
  return {
    record: { ...requested, version: record.version + 1 },
    events: [{ type: SERVER_EVENT.cancel, data: { reason, by, graceMs } }],
  };
}

/** Cancels a task whose producer did not end it in time, or whose producer is gone. */
export function forceCancel(record: TaskRecord, nowMs: number): Change {
  return move(record, "cancelled", { reason: record.task.cancel?.reason }, nowMs, {
    isForced: true,
  });
}

/**
 * Confirms that the producer saw the request.
 *
 * @param token The token of the lease that the caller names; required if the task has a lease.
 * @returns `undefined` if that was confirmed before: nothing changes.
 * @throws {TaskcastError} `TASK_TERMINAL`, `LEASE_LOST`; `INVALID_TRANSITION` if nobody asked to cancel.
 */
export function confirmCancel(
  record: TaskRecord,
  token: string | undefined,
  nowMs: number,
): Change | undefined {
  const { task, lease, leaseMs } = record;
  const { id, status, cancel } = task;
  if (isTerminal(status)) {
    throw new TaskcastError("TASK_TERMINAL", `Cannot change task "${id}": it is "${status}"`, {
      details: { taskId: id, status },
    });
  }
  if (lease !== token && (lease !== undefined || token !== undefined)) throw leaseLost(id);
  if (cancel === undefined) {
    throw new TaskcastError(
      "INVALID_TRANSITION",
      `Cannot confirm a request to cancel task "${id}": there is none`,
      { details: { taskId: id } },
    );
  }
  if (cancel.seenAt !== undefined) return undefined;
  const seen = { ...task, cancel: { ...cancel, seenAt: nowMs } };
  const afterMs = nowMs - cancel.requestedAt;
  return {
    record: { ...record, version: record.version + 1, task: seen },
    events: [{ type: SERVER_EVENT.cancelSeen, data: { afterMs } }],
    ...(leaseMs !== undefined && { leaseDueMs: nowMs + leaseMs }),
  };
}
