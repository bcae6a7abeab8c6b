import type { DueTimes, TaskRecord } from "../../contracts/records.ts";
import { TaskcastError } from "../../protocol/errors.ts";
import { SERVER_EVENT } from "../../protocol/event.ts";
import type { CreateTaskInput, Task, TransitionOptions } from "../../protocol/task.ts";
import type { TaskStatus } from "../../protocol/status.ts";
import { isTerminal } from "../../protocol/status.ts";
import { withoutLease } from "./lease.ts";
import { canTransition, NEXT_STATUSES } from "./state_machine.ts";

/** An event that the server writes, with its data not yet as JSON. */
export interface ServerEvent {
  /** One of {@linkcode SERVER_EVENT}. */
  type: string;
  /** The data of the event. */
  data: Record<string, unknown>;
}

/** The outcome of a rule: the new record, and the events that describe the change. */
export interface Change {
  /** The new record. */
  record: TaskRecord;
  /** Events to append in the same commit. */
  events: ServerEvent[];
  /** The new expiry of the task's lease; Unix milliseconds. @default the time that the store has */
  leaseDueMs?: number;
}

/**
 * Returns a new task's record. Pure: the caller gives the time and the random parts.
 *
 * @param input Valid input.
 * @param identity The id and the incarnation.
 * @param nowMs Unix time in milliseconds.
 */
export function newRecord(
  input: CreateTaskInput,
  identity: { id: string; incarnation: string },
  nowMs: number,
): TaskRecord {
  const { lease: _lease, ...fields } = input;
  const task: Task = {
    ...fields,
    id: identity.id,
    status: "pending",
    createdAt: nowMs,
    updatedAt: nowMs,
  };
  const record: TaskRecord = { task, incarnation: identity.incarnation, version: 1 };
  if (input.ttl !== undefined) record.deadlineAt = nowMs + milliseconds(input.ttl);
  return record;
}

/**
 * Returns `record` moved to `to`, with the events that tell of it. Pure: the caller gives the time
 * and commits the outcome.
 *
 * @param record The task; not modified.
 * @param to The requested state.
 * @param options Valid options; see {@linkcode TransitionOptions}.
 * @param nowMs Unix time in milliseconds.
 * @throws {TaskcastError} `INVALID_TRANSITION` if `to` cannot follow the current state;
 * `INVALID_INPUT` for options that do not go with `to`.
 */
export function applyTransition(
  record: TaskRecord,
  to: TaskStatus,
  options: TransitionOptions,
  nowMs: number,
): Change {
  const { task } = record;
  if (!canTransition(task.status, to)) {
    const allowed = NEXT_STATUSES[task.status];
    const way = allowed.length === 0
      ? "it has ended"
      : `from there it can become ${allowed.join(", ")}`;
    throw new TaskcastError(
      "INVALID_TRANSITION",
      `Cannot move task "${task.id}" to "${to}": it is "${task.status}", ${way}`,
      { details: { taskId: task.id, from: task.status, to, allowed } },
    );
  }
  return move(record, to, options, nowMs);
}

/**
 * Moves a task to any status, without a check of the state machine.
 *
 * @param isForced The task is cancelled because its producer did not end it after a request.
 */
export function move(
  record: TaskRecord,
  to: TaskStatus,
  options: TransitionOptions,
  nowMs: number,
  { isForced = false }: { isForced?: boolean } = {},
): Change {
  const { deadlineAt: _deadline, ttlRemainingMs: _remaining, task, ...carried } = record;
  const { reason: _reason, resumeAt: _resumeAt, blockedRequest: _request, ...kept } = task;
  const next: Task = { ...kept, status: to, updatedAt: nowMs };
  if (options.result !== undefined) next.result = options.result;
  if (options.error !== undefined) next.error = options.error;
  if (options.reason !== undefined) next.reason = options.reason;
  if (options.blockedRequest !== undefined) next.blockedRequest = options.blockedRequest;
  if (options.resumeAfterMs !== undefined) next.resumeAt = nowMs + options.resumeAfterMs;
  if (options.ttl !== undefined) next.ttl = options.ttl;
  if (isTerminal(to)) next.completedAt = nowMs;

  const { status, result, error, reason } = { ...options, status: to };
  const data: Record<string, unknown> = { status, result, error, reason };
  if (to === "cancelled" && task.cancel !== undefined) {
    data.cancel = { stopMs: nowMs - task.cancel.requestedAt, forced: isForced };
  }
  const events: ServerEvent[] = [{ type: SERVER_EVENT.status, data }];
  if (options.blockedRequest !== undefined) {
    events.push({ type: SERVER_EVENT.blocked, data: { reason, request: options.blockedRequest } });
  }
  const moved: TaskRecord = {
    ...carried,
    task: next,
    version: record.version + 1,
    ...ttlClock(record, to, options.ttl, nowMs),
  };
  if (isTerminal(to)) return { record: withoutLease(moved), events };
  // The time while the task is paused does not count.
  if (task.status === "paused" && moved.leaseMs !== undefined) {
    return { record: moved, events, leaseDueMs: nowMs + moved.leaseMs };
  }
  return { record: moved, events };
}

/** Returns `record` unblocked by an answer. See {@linkcode applyTransition}. */
export function applyResolution(record: TaskRecord, resolution: unknown, nowMs: number): Change {
  if (record.task.status !== "blocked") {
    throw new TaskcastError(
      "INVALID_TRANSITION",
      `Cannot resolve task "${record.task.id}": it is "${record.task.status}", not blocked`,
      { details: { taskId: record.task.id, from: record.task.status, to: "running" } },
    );
  }
  const change = applyTransition(record, "running", {}, nowMs);
  change.events.unshift({ type: SERVER_EVENT.resolved, data: { resolution } });
  return change;
}

// The ttl counts from creation. Paused stops its clock; blocked does not; the end clears it.
function ttlClock(
  record: TaskRecord,
  to: TaskStatus,
  newTtl: number | undefined,
  nowMs: number,
): Pick<TaskRecord, "deadlineAt" | "ttlRemainingMs"> {
  if (isTerminal(to)) return {};
  let remainingMs = record.ttlRemainingMs;
  if (record.deadlineAt !== undefined) remainingMs = Math.max(0, record.deadlineAt - nowMs);
  if (newTtl !== undefined) remainingMs = milliseconds(newTtl);
  if (remainingMs === undefined) return {};
  return to === "paused" ? { ttlRemainingMs: remainingMs } : { deadlineAt: nowMs + remainingMs };
}

/** Whole milliseconds, since times are whole in every store; a ttl may be a fraction of a second. */
function milliseconds(seconds: number): number {
  return Math.ceil(seconds * 1000);
}

/**
 * Returns the times at which a task needs attention.
 *
 * @param leaseDueMs The new expiry of its lease. @default the time that the store has
 */
export function dueTimes(record: TaskRecord, leaseDueMs?: number): DueTimes {
  const due: DueTimes = {};
  if (record.lease !== undefined && record.task.status !== "paused") {
    due.lease = leaseDueMs ?? "keep";
  }
  const { deadlineAt = Infinity, task: { status, cancel } } = record;
  const graceEndsAt = isTerminal(status) ? Infinity : cancel?.deadlineAt ?? Infinity;
  const deadline = Math.min(deadlineAt, graceEndsAt);
  if (deadline < Infinity) due.deadline = deadline;
  if (record.task.resumeAt !== undefined) due.wake = record.task.resumeAt;
  return due;
}
