import type { TaskRecord } from "../../contracts/records.ts";
import type { TransitionOptions } from "../../protocol/task.ts";
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
