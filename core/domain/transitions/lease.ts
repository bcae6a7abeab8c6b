import type { TaskRecord } from "../../contracts/records.ts";
import { TaskcastError } from "../../protocol/errors.ts";
import { isTerminal } from "../../protocol/status.ts";
import type { LeaseRequest, LeaseState } from "../../protocol/task.ts";

// A lease says who does the work of a task, and until when. Its token and its length are in the record;
// its expiry is a due time of the store, which renewals move without a commit.

/** Grants a lease on a task, which ends an earlier one. */
export function grantLease(
  record: TaskRecord,
  { ms, holder }: LeaseRequest,
  random: string,
  nowMs: number,
): TaskRecord {
  const { task, ...rest } = withoutLease(record);
  const attempt = (task.attempt ?? 0) + 1;
  return {
    ...rest,
    task: {
      ...task,
      attempt,
      leaseSince: nowMs,
      ...(holder !== undefined && { leaseHolder: holder }),
    },
    lease: `${attempt}.${random}`,
    leaseMs: ms,
  };
}

/** Ends the lease of a task, if it has one. */
export function withoutLease(record: TaskRecord): TaskRecord {
  if (record.lease === undefined) return record;
  const { lease: _lease, leaseMs: _ms, leasePutOffTo: _putOff, task, ...rest } = record;
  const { leaseSince: _since, leaseHolder: _holder, ...kept } = task;
  return { ...rest, task: kept };
}

/**
 * Requires that a task has a lease.
 *
 * @throws {TaskcastError} `TASK_TERMINAL` if the task has ended, otherwise `LEASE_LOST`.
 */
export function assertLease({ task: { id, status }, lease }: TaskRecord, token: string): void {
  if (lease === token) return;
  const details = { taskId: id };
  if (isTerminal(status)) {
    throw new TaskcastError("TASK_TERMINAL", `Cannot change task "${id}": it is "${status}"`, {
      details: { ...details, status },
    });
  }
  throw leaseLost(id);
}

/** Returns a `LEASE_LOST` error. */
export function leaseLost(taskId: string): TaskcastError {
  return new TaskcastError(
    "LEASE_LOST",
    `Cannot change task "${taskId}": the lease has ended; stop, or ask for a new one`,
    { details: { taskId } },
  );
}

/** Returns the state of a lease. */
export function leaseState(
  { task: { status, cancel }, lease }: TaskRecord,
  token: string,
): LeaseState {
  if (isTerminal(status)) return status;
  if (lease !== token) return "lost";
  if (cancel !== undefined) return "stopping";
  return status === "paused" || status === "blocked" ? status : "held";
}
