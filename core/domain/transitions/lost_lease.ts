import type { TaskRecord } from "../../contracts/records.ts";
import { forceCancel } from "./cancel.ts";
import type { Change } from "./transition.ts";
import { move } from "./transition.ts";

/**
 * The longest time in milliseconds for which an instance must have been able to take renewals before it
 * lets a lease expire; leases that are shorter need only their own length.
 */
const LONGEST_GRACE_MS = 30_000;

/** Returns the time for which an instance must be steady before it lets this lease expire. */
export function graceMs({ leaseMs = 0 }: TaskRecord): number {
  return Math.min(leaseMs, LONGEST_GRACE_MS);
}

/** Fails a task whose producer let its lease expire; cancels it if that was requested. */
export function applyLoss(record: TaskRecord, nowMs: number): Change {
  if (record.task.cancel !== undefined) return forceCancel(record, nowMs);
  const error = {
    code: "PRODUCER_LOST",
    message: "The task's producer let its lease expire",
  };
  return move(record, "failed", { error }, nowMs);
}

/**
 * Puts off the expiry of a lease, once, because its holder may have been unable to renew it. The record
 * remembers the new expiry: a lease that expires at that very time has not been renewed since.
 */
export function putOffExpiry(record: TaskRecord, nowMs: number): Change {
  const untilMs = nowMs + graceMs(record);
  const putOff = { ...record, version: record.version + 1, leasePutOffTo: untilMs };
  return { record: putOff, events: [], leaseDueMs: untilMs };
}
