import type {
  DueKind,
  DueWork,
  FoldPage,
  FoldQuery,
  ListPage,
  ListQuery,
  LogPage,
  LogQuery,
  SeriesFold,
  StoredEvent,
  TaskHead,
  TaskRecord,
} from "@taskcast/core/adapter";
import {
  compileFilter,
  isDiverged,
  matchesListQuery,
  unescapeJsonText,
} from "@taskcast/core/adapter";
import type { EventFilter } from "@taskcast/core/protocol";
import type { SqliteValue } from "./connection/driver.ts";
import type { Statements } from "./connection/statements.ts";
import type { ClassRow, CountedClassRow, EventRow, SeriesRow, TaskRow } from "./rows/tables.ts";
import {
  blockOf,
  eventKey,
  FROM_CLASS,
  FROM_TASKS,
  INDEXES,
  LENGTH,
  SELECT_CLASSES,
  SELECT_COUNTED_CLASSES,
  SELECT_EVENT,
  SELECT_EVENTS,
  SELECT_TASK,
  SERIES_COLUMNS,
  toStoredEvent,
} from "./rows/tables.ts";

/** Tasks read at a time for a page of a list that is filtered by type. */
const LIST_CHUNK = 200;

type HeadRow = Pick<TaskRow, "task" | "length" | "trimmed_through"> & { record: string };

/** Reads of rows; each call runs in one transaction, on a consistent snapshot. */
export class Reader {
  readonly #sql: Statements;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  task(taskId: string, at?: number): TaskHead | undefined {
    const row = this.#sql.one<HeadRow>(
      `SELECT t.task, t.record, ${LENGTH}, t.trimmed_through ${FROM_TASKS} WHERE t.id = ?`,
      taskId,
    );
    if (row === undefined) return undefined;
    const head: TaskHead = { record: JSON.parse(row.record), length: row.length };
    if (row.trimmed_through !== null) head.trimmedThrough = row.trimmed_through;
    const entropy = at === undefined ? undefined : this.#entropyAt(row, at);
    if (entropy !== undefined) head.entropy = entropy;
    return head;
  }

  log(taskId: string, query: LogQuery): LogPage | undefined {
    const row = this.#sql.one<TaskRow>(SELECT_TASK, taskId);
    if (row === undefined) return undefined;
    const { after, afterEntropy, maxBytes = Infinity, backward = false } = query;
    const { incarnation, length, status } = row;
    const state = { incarnation, length, status };
    if (afterEntropy !== undefined) {
      if (isDiverged(query, length, this.#entropyAt(row, after))) {
        return { events: [], scannedTo: after, ...state, diverged: true };
      }
    }
    const to = Math.min(query.through ?? Infinity, length - 1);
    const classes = this.#sql.all<ClassRow>(SELECT_CLASSES, row.task);
    const wanted = classes.filter(compileFilter(query.filter))
      .filter(({ plain }) => !query.standalone || plain === 1);
    const classIds = wanted.length === classes.length ? undefined : wanted.map((c) => c.class);
    const limit = row.bytes - row.trimmed_bytes < maxBytes
      ? query.limit
      : this.#countWithin(maxBytes, row.task, classIds, query, to);
    const events = this.#rows<EventRow>(SELECT_EVENTS, row.task, classIds, { ...query, limit }, to)
      .map(toStoredEvent);
    const end = backward ? after + 1 : Math.max(to, after);
    const last = events.at(-1);
    const scannedTo = events.length < limit ? end : last!.index;
    const page: LogPage = { events, scannedTo, ...state };
    const entropy = backward
      ? undefined
      : last?.index === scannedTo
      ? last.entropy
      : this.#entropyAt(row, scannedTo);
    if (entropy !== undefined) page.entropy = entropy;
    return page;
  }

  folds(taskId: string, query: FoldQuery): FoldPage | undefined {
    const row = this.#sql.one<TaskRow>(SELECT_TASK, taskId);
    if (row === undefined) return undefined;
    const { task, incarnation, length, status } = row;
    const { after, limit, maxBytes = Infinity, texts = true, seriesId } = query;
    const through = Math.min(query.through ?? Infinity, length - 1);
    const rows = this.#sql.all<SeriesRow>(
      `SELECT ${SERIES_COLUMNS} FROM {series} WHERE task = ? AND newest > ? AND newest <= ? ` +
        `AND mode <> 'keep-all' ${seriesId === undefined ? "" : "AND series = ? "}` +
        "ORDER BY newest LIMIT ?",
      ...[task, after, through, ...(seriesId === undefined ? [] : [seriesId]), limit + 1],
    );
    const folds: SeriesFold[] = [];
    let bytes = 0;
    for (const series of rows) {
      if (folds.length === limit || bytes >= maxBytes) break;
      const fold = this.#fold(task, series, texts);
      bytes += fold.newest.data.length + (fold.text?.length ?? 0);
      folds.push(fold);
    }
    const isEnd = folds.length === rows.length;
    const scannedTo = isEnd ? Math.max(through, after) : folds.at(-1)!.newest.index;
    const page: FoldPage = { folds, scannedTo, length, incarnation, status };
    if (row.entropy !== null) page.entropy = row.entropy;
    return page;
  }

  countMatches(
    taskId: string,
    filter: EventFilter,
    indexes: readonly number[],
    incarnation?: string,
  ): number[] | undefined {
    const row = this.#sql.one<TaskRow>(SELECT_TASK, taskId);
    if (row === undefined) return undefined;
    if (incarnation !== undefined && row.incarnation !== incarnation) return undefined;
    const wanted = this.#sql.all<CountedClassRow>(SELECT_COUNTED_CLASSES, row.task)
      .filter(compileFilter(filter));
    return indexes.map((index) =>
      wanted.reduce((sum, wantedClass) => sum + this.#countBelow(row, wantedClass, index), 0)
    );
  }

  due(nowMs: number, limit: number): DueWork {
    const rows = this.#sql.all<{ kind: DueKind; taskId: string; atMs: number }>(
      "SELECT d.kind, t.id AS taskId, d.at_ms AS atMs FROM {due} d JOIN {tasks} t ON t.task = d.task " +
        "ORDER BY d.at_ms, d.kind, d.task LIMIT ?",
      limit + 1,
    );
    const entries = rows.filter(({ atMs }) => atMs <= nowMs).slice(0, limit).map((row) => ({
      ...row,
    }));
    const next = rows[entries.length];
    return next === undefined ? { entries } : { entries, nextAtMs: next.atMs };
  }

  list({ statuses, types, tag, priority, limit, after }: ListQuery): ListPage {
    const tasks: TaskRecord[] = [];
    let position = after;
    for (;;) {
      const records = this.#listChunk(
        { statuses, tag, after: position },
        Math.max(limit + 1, LIST_CHUNK),
      );
      for (const record of records) {
        const { id, createdAt } = record.task;
        position = { id, createdAt };
        if (!matchesListQuery(record.task, { types, priority })) continue;
        if (tasks.length === limit) return { tasks, more: true };
        tasks.push(record);
      }
      if (records.length < Math.max(limit + 1, LIST_CHUNK)) return { tasks, more: false };
    }
  }

  #listChunk(
    { statuses, tag, after }: Pick<ListQuery, "statuses" | "tag" | "after">,
    limit: number,
  ): TaskRecord[] {
    const conditions = ["1"];
    const values: SqliteValue[] = [];
    const add = (condition: string, ...bound: SqliteValue[]) => {
      conditions.push(condition);
      values.push(...bound);
    };
    if (statuses !== undefined) {
      add(`t.status IN (${statuses.map(() => "?").join(", ")})`, ...statuses);
    }
    if (tag !== undefined) add("t.task IN (SELECT task FROM {tags} WHERE tag = ?)", tag);
    if (after !== undefined) add("(t.created_at, t.id) < (?, ?)", after.createdAt, after.id);
    const rows = this.#sql.all<{ record: string }>(
      `SELECT t.record FROM {tasks} t WHERE ${conditions.join(" AND ")} ` +
        "ORDER BY t.created_at DESC, t.id DESC LIMIT ?",
      ...values,
      limit,
    );
    return rows.map(({ record }) => JSON.parse(record));
  }

  /**
   * Returns how many of the matching events reach a number of bytes, without reading their data.
   */
  #countWithin(
    maxBytes: number,
    task: number,
    classIds: readonly number[] | undefined,
    query: LogQuery,
    to: number,
  ): number {
    let bytes = 0;
    const rows = this.#rows<{ idx: number; bytes: number }>(
      "SELECT e.idx, length(e.data) AS bytes FROM {events} e",
      task,
      classIds,
      query,
      to,
    );
    const last = rows.findIndex((row) => (bytes += row.bytes) >= maxBytes);
    return last === -1 ? query.limit : last + 1;
  }

  /** Returns rows of a part of the log, as `select` selects them for a task. */
  #rows<Row extends { idx: number }>(
    select: string,
    task: number,
    classIds: readonly number[] | undefined,
    { after, limit, backward }: LogQuery,
    to: number,
  ): Row[] {
    const order = backward ? "DESC" : "ASC";
    if (classIds === undefined) {
      const range = `e.event > ${eventKey("?", "?")} AND e.event <= ${eventKey("?", "?")} ` +
        `ORDER BY e.event ${order} LIMIT ?`;
      return this.#sql.all<Row>(`${select} WHERE ${range}`, task, after, task, to, limit);
    }
    const ofClass = `${select.replace("{events} e", FROM_CLASS)} WHERE b.task = ?`;
    const blockRange = "b.class = ? AND b.block >= ? AND b.block <= ? AND e.idx > ? AND " +
      `e.idx <= ? ORDER BY b.block ${order}, e.event ${order} LIMIT ?`;
    const first = blockOf(after + 1);
    const last = blockOf(to);
    // Selects up to `limit` events of each class, so that none is read in vain.
    const rows = classIds.flatMap((id) =>
      this.#sql.all<Row>(`${ofClass} AND ${blockRange}`, task, id, first, last, after, to, limit)
    );
    rows.sort((a, b) => backward ? b.idx - a.idx : a.idx - b.idx);
    return rows.slice(0, limit);
  }

  /** Returns the rank of the first event of a class at or after an index, trimmed or remaining. */
  #countBelow(
    { task, trimmed_through: trimmedThrough }: TaskRow,
    { class: id, count }: CountedClassRow,
    index: number,
  ): number {
    const left = this.#sql.one<{ place: number }>(
      `SELECT e.place FROM ${FROM_CLASS} WHERE b.task = ? AND b.class = ? AND b.block >= ? ` +
        "AND e.idx >= ? ORDER BY b.block, e.event LIMIT 1",
      task,
      id,
      blockOf(index),
      index,
    );
    const trimmed = index > (trimmedThrough ?? -1) ? undefined : this.#sql.one<{ place: number }>(
      "SELECT place FROM {trimmed} WHERE task = ? AND class = ? AND idx >= ? ORDER BY idx LIMIT 1",
      task,
      id,
      index,
    );
    // Ranks and indexes have the same order, so the lower rank is that of the lower index.
    return Math.min(left?.place ?? count, trimmed?.place ?? count);
  }

  /** Returns the entropy of an event; `undefined` if the log has no such event. */
  #entropyAt(
    { task, length, entropy = null }: Pick<TaskRow, "task" | "length"> & Partial<TaskRow>,
    index: number,
  ): number | undefined {
    if (index === length - 1 && entropy !== null) return entropy;
    // The index may be any number, and the keys of the previous task come below.
    if (index < 0 || index >= INDEXES) return undefined;
    return this.#sql.one<{ entropy: number }>(
      `SELECT entropy FROM {events} WHERE event = ${eventKey("?", "?")}`,
      task,
      index,
    )?.entropy;
  }

  #eventAt(task: number, index: number): StoredEvent {
    const row = this.#sql.one<EventRow>(SELECT_EVENT, task, index)!;
    return toStoredEvent(row);
  }

  #fold(task: number, series: SeriesRow, withText: boolean): SeriesFold {
    const { newest, newest_event: kept } = series;
    const fold: SeriesFold = {
      seriesId: series.series,
      mode: series.mode as SeriesFold["mode"],
      newest: kept === null ? this.#eventAt(task, newest) : JSON.parse(kept),
      eventKinds: JSON.parse(series.classes),
    };
    if (series.acc_field !== null) fold.accField = series.acc_field;
    if (withText && series.is_text === 1) {
      const parts = this.#sql.all<{ text: string }>(
        "SELECT text FROM {series_parts} WHERE task = ? AND series = ? ORDER BY part",
        task,
        series.series,
      );
      fold.text = unescapeJsonText(parts.map(({ text }) => text).join(""));
    }
    return fold;
  }
}
