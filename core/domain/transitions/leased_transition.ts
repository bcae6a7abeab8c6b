import type { TaskRecord } from "../../contracts/records.ts";
import { TaskcastError } from "../../protocol/errors.ts";
import { isTerminal } from "../../protocol/status.ts";
import type { TakeLeaseRequest, TransitionOptions } from "../../protocol/task.ts";
import type { TaskStatus } from "../../protocol/status.ts";
import { assertLease, grantLease } from "./lease.ts";
import type { Change } from "./transition.ts";
import { applyTransition } from "./transition.ts";

/**
 * Applies a transition by the holder of a lease, which renews the lease, or by a caller who asks for a
 * lease. See {@linkcode applyTransition}.
 *
 * @param lease.token The token of the lease that the caller names. @default the caller names none
 * @param lease.secret The random part of the token of a granted lease.
 * @throws {TaskcastError} `LEASE_LOST` or `TASK_TERMINAL` if the task does not have the lease.
 */
export function applyLeasedTransition(
  record: TaskRecord,
  to: TaskStatus,
  options: TransitionOptions,
  { token, secret }: { token?: string; secret: string },
  nowMs: number,
): Change {
  if (token !== undefined) assertLease(record, token);
  const change = applyTransition(record, to, options, nowMs);
  const { lease: request } = options;
  if (request !== undefined) {
    const granted = grantLease(change.record, request, secret, nowMs);
    return { ...change, record: granted, leaseDueMs: nowMs + request.ms };
  }
  const { leaseMs } = change.record;
  return token === undefined || leaseMs === undefined
    ? change
    : { ...change, leaseDueMs: nowMs + leaseMs };
}

/**
 * Grants a lease on a task without a change of its status.
 *
 * @throws {TaskcastError} `TASK_TERMINAL`; `LEASE_HELD` if it has a lease and the request takes none.
 */
export function applyLeaseGrant(
  record: TaskRecord,
  { take = false, ...request }: TakeLeaseRequest,
  secret: string,
  nowMs: number,
): Change {
  const { task: { id, status }, lease, version } = record;
  const details = { taskId: id, status };
  if (isTerminal(status)) {
    throw new TaskcastError("TASK_TERMINAL", `Cannot lease task "${id}": it is "${status}"`, {
      details,
    });
  }
  if (lease !== undefined && !take) {
    throw new TaskcastError(
      "LEASE_HELD",
      `Cannot lease task "${id}": somebody holds a lease; send "take" to end it`,
      { details },
    );
  }
  const granted = grantLease({ ...record, version: version + 1 }, request, secret, nowMs);
  return { record: granted, events: [], leaseDueMs: nowMs + request.ms };
}
