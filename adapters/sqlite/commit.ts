import type {
  Commit,
  CommitResult,
  CommitState,
  KnownProducer,
  ProducerCheck,
  SeriesKind,
  StoredEvent,
} from "@taskcast/core/adapter";
import { checkCommit, isLive, storedDue, WORK_KINDS } from "@taskcast/core/adapter";
import type { TaskStatus } from "@taskcast/core/protocol";
import { Appender } from "./append.ts";
import { isClosed } from "./closed_ids.ts";
import type { AppendCache } from "./append_cache.ts";
import { Producers, TRIMMED_INDEX } from "./rows/producers.ts";
import type { Statements } from "./connection/statements.ts";
import { leaseDueMs, setDueTimes } from "./rows/due_times.ts";
import type { EventRow, TaskRow } from "./rows/tables.ts";
import { insertTask, updateRecord } from "./rows/task_rows.ts";
import { INDEXES, SELECT_EVENT, toStoredEvent } from "./rows/tables.ts";
import { scheduleOnce } from "./rows/work_times.ts";

/**
 * Maximum number of events that a publish can bring a log to, whatever the engine allows. The rest of
 * the indexes is left for changes of state.
 */
const MAX_EVENTS = INDEXES - 2 ** 16;

/** Applies a commit within a transaction, or refuses it before anything is written. */
export function applyCommit(sql: Statements, logs: AppendCache, commit: Commit): CommitResult {
  const { taskId, expect, nowMs } = commit;
  const appender = logs.of(taskId);
  const state = appender && new SqliteCommitState(sql, appender);
  const closed = expect === "absent" && isClosed(sql, taskId, nowMs);
  const checked = checkCommit(state, bounded(commit), closed);
  if ("code" in checked) return { ok: false, refusal: checked };
  if (state === undefined) {
    return appendAll(sql, commit, new Appender(sql, insertTask(sql, commit.record!)));
  }
  if (!isLive(expect)) {
    logs.forget(taskId);
    return appendAll(sql, commit, state.appender);
  }
  const result = appendNew(sql, commit, state, checked);
  logs.keep(taskId, state.appender);
  return result;
}

/** A stored task as {@linkcode checkCommit} looks at it: series and producers are read when needed. */
class SqliteCommitState implements CommitState {
  readonly #sql: Statements;
  readonly appender: Appender;
  readonly producers: Producers;

  constructor(sql: Statements, appender: Appender) {
    this.#sql = sql;
    this.appender = appender;
    this.producers = new Producers(sql, appender.row.task);
  }

  get incarnation(): string {
    return this.appender.row.incarnation;
  }

  get version(): number {
    return this.appender.row.version;
  }

  get status(): TaskStatus {
    return this.appender.row.status;
  }

  get length(): number {
    return this.appender.row.length;
  }

  get dataBytes(): number {
    const { bytes, trimmed_bytes: trimmedBytes } = this.appender.row;
    return bytes - trimmedBytes;
  }

  get lease(): string | undefined {
    return this.appender.lease;
  }

  get leaseDueMs(): number | undefined {
    return leaseDueMs(this.#sql, this.appender.row.task);
  }

  producer(id: string): KnownProducer | undefined {
    return this.producers.get(id);
  }

  seriesKind(id: string): SeriesKind | undefined {
    return this.appender.seriesKind(id);
  }

  isTrimmed(index: number): boolean {
    return index === TRIMMED_INDEX;
  }
}

function bounded(commit: Commit): Commit {
  return commit.maxEvents > MAX_EVENTS ? { ...commit, maxEvents: MAX_EVENTS } : commit;
}

/** Appends the events that are new to a live task, and reads the others. */
function appendNew(
  sql: Statements,
  commit: Commit,
  { appender, producers }: SqliteCommitState,
  { repeats, progress }: ProducerCheck,
): CommitResult {
  const { row } = appender;
  const from = row.length;
  const appended = commit.events.map((draft, at) =>
    repeats[at] === undefined ? appender.append(draft, commit.nowMs) : undefined
  );
  producers.save(progress);
  appender.save();
  if (row.length > from) scheduleWork(sql, row, commit);
  const events = appended.map((event, at) => event ?? eventAt(sql, row.task, repeats[at]!));
  return { ok: true, events, from, length: row.length, ...hookedOf(row) };
}

/** Appends all events and replaces the record. */
function appendAll(sql: Statements, commit: Commit, appender: Appender): CommitResult {
  const { events, nowMs, due = {} } = commit;
  const { row } = appender;
  const record = commit.record!;
  const from = row.length;
  const appended = events.map((draft) => appender.append(draft, nowMs));
  appender.save();
  updateRecord(sql, row.task, record);
  const keptMs = due.lease === "keep" ? leaseDueMs(sql, row.task) : undefined;
  setDueTimes(sql, row.task, storedDue(due, keptMs));
  scheduleWork(sql, row, commit);
  return { ok: true, events: appended, from, length: row.length, ...hookedOf(row) };
}

function scheduleWork(sql: Statements, { task, hooked }: TaskRow, { schedule = {} }: Commit): void {
  for (const kind of WORK_KINDS) {
    const atMs = schedule[kind];
    if (atMs === undefined || (kind === "deliver" && hooked === 0)) continue;
    scheduleOnce(sql, kind, task, atMs);
  }
}

function hookedOf({ hooked }: TaskRow): { hooked?: true } {
  return hooked === 0 ? {} : { hooked: true };
}

function eventAt(sql: Statements, task: number, index: number): StoredEvent {
  return toStoredEvent(sql.one<EventRow>(SELECT_EVENT, task, index)!);
}
