import type { Commit, CommitResult, DueTimes, Refusal, StoredEvent } from "@taskcast/core/adapter";
import { DUE_KINDS, isLive, isReplaced, WORK_KINDS } from "@taskcast/core/adapter";
import { isTerminal } from "@taskcast/core/protocol";
import { Appender } from "./append.ts";
import { isClosed } from "./closed_ids.ts";
import type { KnownLogs } from "./append_cache.ts";
import { Producers, TRIMMED_INDEX } from "./rows/producers.ts";
import type { Statements } from "./connection/statements.ts";
import type { EventRow, TaskRow } from "./rows/tables.ts";
import { insertTask, updateRecord } from "./rows/task_rows.ts";
import { INDEXES, SELECT_EVENT, toStoredEvent } from "./rows/tables.ts";
import { markOnce } from "./rows/work_marks.ts";

/** Events that a task takes whatever its engine allows. There is room left for its changes of state. */
const MAX_EVENTS = INDEXES - 2 ** 16;

/** Carries a commit out, within a transaction, or refuses it before anything is written. */
export function carryOut(sql: Statements, logs: KnownLogs, commit: Commit): CommitResult {
  const { taskId, expect } = commit;
  const appender = logs.of(taskId);
  if (expect === "absent") {
    if (appender !== undefined || isClosed(sql, taskId, commit.nowMs)) {
      return refused({ code: "EXISTS" });
    }
    return appendAll(sql, commit, new Appender(sql, insertTask(sql, commit.record!)));
  }
  if (appender === undefined) return refused({ code: "ABSENT" });
  const { row } = appender;
  if (isReplaced(expect, row.incarnation)) return refused({ code: "REPLACED" });
  if (!isLive(expect)) {
    if (row.version !== expect.version || row.incarnation !== expect.incarnation) {
      return refused({ code: "CONFLICT" });
    }
    logs.forget(taskId);
    return appendAll(sql, commit, appender);
  }
  const result = appendLive(sql, commit, appender);
  logs.keep(taskId, appender);
  return result;
}

/** Appends to a task that has not ended, as far as the events are new. */
function appendLive(sql: Statements, commit: Commit, appender: Appender): CommitResult {
  const { row } = appender;
  const producers = new Producers(sql, row.task);
  const repeats = producers.check(commit.events, row.length);
  if (!Array.isArray(repeats)) return refused(repeats);
  // Only ended tasks are trimmed.
  if (repeats.includes(TRIMMED_INDEX)) return refused({ code: "TERMINAL", status: row.status });
  if (repeats.includes(undefined)) {
    const refusal = checkLive(row) ?? appender.conflict(commit.events, repeats) ??
      checkBounds(commit, row, repeats);
    if (refusal !== undefined) return refused(refusal);
  }
  const from = row.length;
  const appended = commit.events.map((draft, at) =>
    repeats[at] === undefined ? appender.append(draft, commit.nowMs) : undefined
  );
  producers.save();
  appender.save();
  if (row.length > from) markForWork(sql, row, commit);
  const events = appended.map((event, at) => event ?? eventAt(sql, row.task, repeats[at]!));
  return { ok: true, events, from, length: row.length, ...hookedOf(row) };
}

/** A task can change its state also when it is full, so neither bounds nor series are asked. */
function appendAll(sql: Statements, commit: Commit, appender: Appender): CommitResult {
  const { events, nowMs } = commit;
  const { row } = appender;
  const record = commit.record!;
  const from = row.length;
  const appended = events.map((draft) => appender.append(draft, nowMs));
  appender.save();
  updateRecord(sql, row.task, record);
  setDue(sql, row.task, commit.due ?? {});
  markForWork(sql, row, commit);
  return { ok: true, events: appended, from, length: row.length, ...hookedOf(row) };
}

function checkLive({ status }: TaskRow): Refusal | undefined {
  return isTerminal(status) ? { code: "TERMINAL", status } : undefined;
}

function checkBounds(
  { events, maxEvents, maxBytes }: Commit,
  { length, bytes, trimmed_bytes: trimmedBytes }: TaskRow,
  repeats: readonly (number | undefined)[],
): Refusal | undefined {
  const fresh = events.filter((_, at) => repeats[at] === undefined);
  const added = fresh.reduce((sum, { data }) => sum + data.length, 0);
  const isFull = length + fresh.length > Math.min(maxEvents, MAX_EVENTS) ||
    bytes - trimmedBytes + added > maxBytes;
  return isFull ? { code: "TASK_FULL" } : undefined;
}

function setDue(sql: Statements, task: number, due: DueTimes): void {
  sql.run("DELETE FROM {due} WHERE task = ?", task);
  for (const kind of DUE_KINDS) {
    const atMs = due[kind];
    if (atMs === undefined) continue;
    sql.run("INSERT INTO {due} (at_ms, kind, task) VALUES (?, ?, ?)", atMs, kind, task);
  }
}

function markForWork(sql: Statements, { task, hooked }: TaskRow, { marks = {} }: Commit): void {
  for (const kind of WORK_KINDS) {
    const atMs = marks[kind];
    if (atMs === undefined || (kind === "deliver" && hooked === 0)) continue;
    markOnce(sql, kind, task, atMs);
  }
}

function hookedOf({ hooked }: TaskRow): { hooked?: true } {
  return hooked === 0 ? {} : { hooked: true };
}

function eventAt(sql: Statements, task: number, index: number): StoredEvent {
  return toStoredEvent(sql.one<EventRow>(SELECT_EVENT, task, index)!);
}

function refused(refusal: Refusal): CommitResult {
  return { ok: false, refusal };
}
