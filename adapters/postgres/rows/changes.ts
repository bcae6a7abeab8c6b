import type { ProducerProgress, StoredDueTimes, TaskRecord, Work } from "@taskcast/core/adapter";
import { DUE_KINDS } from "@taskcast/core/adapter";
import type { Run, Value } from "../connection/database.ts";
import type { EventRow } from "./event_columns.ts";
import { EventColumns } from "./event_columns.ts";
import type { ClassRow, SeriesRow, TaskRow } from "./table_rows.ts";

/** Collects the rows that a transaction writes, then writes each table in one statement. */
export class Changes {
  /** New or grown event kinds. */
  readonly classes: Set<ClassRow> = new Set();
  /** New or continued series. */
  readonly series: Set<SeriesRow> = new Set();
  readonly #created = new Map<number, { row: TaskRow; record: TaskRecord }>();
  readonly #changed = new Map<number, { row: TaskRow; record?: TaskRecord }>();
  readonly #events = new EventColumns();
  readonly #texts = new Map<
    string,
    { task: number; series: string; part: number; texts: string[] }
  >();
  readonly #producers: { task: number; producer: string; epoch: number; next_seq: number }[] = [];
  readonly #forgotten: { task: number; producer: string }[] = [];
  readonly #sent: { task: number; producer: string; seq: number; idx: number }[] = [];
  readonly #due = new Map<number, StoredDueTimes>();
  readonly #workTimes = new Map<string, { task: number; kind: Work; at_ms: number }>();

  /** Adds a new task. */
  created(row: TaskRow, record: TaskRecord): void {
    this.#created.set(row.task, { row, record });
  }

  /** Updates the end of a task's log. */
  changed(row: TaskRow): void {
    if (this.#created.has(row.task) || this.#changed.has(row.task)) return;
    this.#changed.set(row.task, { row });
  }

  /** Updates a task's record. */
  replaced(row: TaskRow, record: TaskRecord): void {
    const known = this.#created.get(row.task) ?? this.#changed.get(row.task);
    if (known !== undefined) known.record = record;
    else this.#changed.set(row.task, { row, record });
  }

  event(row: EventRow): void {
    this.#events.add(row);
  }

  /** Appends to a part of a series' text. */
  text({ task, series }: SeriesRow, part: number, text: string): void {
    const key = `${task} ${part} ${series}`;
    const known = this.#texts.get(key);
    if (known !== undefined) known.texts.push(text);
    else this.#texts.set(key, { task, series, part, texts: [text] });
  }

  /** Updates the progress of a producer. */
  producer(
    task: number,
    producer: string,
    { epoch, nextSeq, added, isNewEpoch }: ProducerProgress & { isNewEpoch: boolean },
  ): void {
    const row = { task, producer, epoch, next_seq: nextSeq };
    const known = this.#producers.findIndex((p) => p.task === task && p.producer === producer);
    if (known === -1) this.#producers.push(row);
    else this.#producers[known] = row;
    if (isNewEpoch) {
      this.#forgotten.push({ task, producer });
      const kept = this.#sent.filter((s) => s.task !== task || s.producer !== producer);
      this.#sent.splice(0, this.#sent.length, ...kept);
    }
    for (const [seq, idx] of added) this.#sent.push({ task, producer, seq, idx });
  }

  /** Sets the due times of a task. */
  due(task: number, times: StoredDueTimes): void {
    this.#due.set(task, times);
  }

  /** Schedules a task for work, unless it is already scheduled. */
  schedule(task: number, kind: Work, atMs: number): void {
    const key = `${task} ${kind}`;
    if (!this.#workTimes.has(key)) this.#workTimes.set(key, { task, kind, at_ms: atMs });
  }

  /** Writes everything; the statements travel together. */
  async write(run: Run): Promise<void> {
    const statements: [text: string, rows: readonly object[]][] = [
      [INSERT_TASKS, [...this.#created.values()].map(taskValues)],
      [UPDATE_TASKS, [...this.#changed.values()].map(taskValues)],
      [UPSERT_CLASSES, [...this.classes]],
      [UPSERT_SERIES, [...this.series]],
      [
        APPEND_TEXTS,
        [...this.#texts.values()].map(({ texts, ...rest }) => ({
          ...rest,
          text: texts.join(""),
        })),
      ],
      [UPSERT_PRODUCERS, this.#producers],
      [DELETE_SENT, this.#forgotten],
      [INSERT_SENT, this.#sent],
      [DELETE_DUE, [...this.#due.keys()].map((task) => ({ task }))],
      [
        INSERT_DUE,
        [...this.#due].flatMap(([task, times]) =>
          DUE_KINDS.flatMap((kind) =>
            times[kind] === undefined ? [] : [{ task, kind, at_ms: times[kind] }]
          )
        ),
      ],
      [SCHEDULE_WORK, [...this.#workTimes.values()]],
    ];
    // Builds all texts before the first statement, so that a failure sends none.
    const events = this.#events.statement();
    const calls: [text: string, ...values: Value[]][] = statements
      .filter(([, rows]) => rows.length > 0)
      .map(([text, rows]) => [text, JSON.stringify(rows)]);
    if (events !== undefined) calls.push(events);
    await Promise.all(calls.map((call) => run(...call)));
  }
}

function taskValues({ row, record }: { row: TaskRow; record?: TaskRecord }): object {
  if (record === undefined) return row;
  const { task } = record;
  return {
    ...row,
    version: record.version,
    type: task.type ?? "",
    tags: [...new Set(task.tags)],
    priority: task.priority ?? 0,
    updated_at: task.updatedAt,
    completed_at: task.completedAt ?? null,
    record: JSON.stringify(record),
  };
}

/** Returns SQL for rows passed as one JSON text. */
function rows(columns: string): string {
  return `json_to_recordset($1::text::json) AS r (${columns})`;
}

// JSON columns travel as text, so that they are stored as written.
const TASK_COLUMNS = "task bigint, id text, incarnation text, version integer, status text, " +
  "type text, tags text[], created_at bigint, updated_at bigint, completed_at bigint, record text, " +
  "length integer, bytes bigint, time bigint, classes integer, hooked boolean, priority smallint";

const INSERT_TASKS = "INSERT INTO {tasks} (task, id, incarnation, version, status, type, tags, " +
  "created_at, updated_at, completed_at, record, length, bytes, time, classes, hooked, priority) SELECT " +
  "task, id, incarnation, version, status, type, tags, created_at, updated_at, completed_at, record::json, " +
  `length, bytes, time, classes, hooked, priority FROM ${rows(TASK_COLUMNS)}`;

const UPDATE_TASKS =
  "UPDATE {tasks} t SET incarnation = r.incarnation, version = r.version, status = r.status, " +
  "updated_at = coalesce(r.updated_at, t.updated_at), " +
  "completed_at = coalesce(r.completed_at, t.completed_at), " +
  "record = coalesce(r.record::json, t.record), length = r.length, bytes = r.bytes, " +
  `time = r.time, classes = r.classes FROM ${rows(TASK_COLUMNS)} WHERE t.task = r.task`;

const UPSERT_CLASSES = "INSERT INTO {classes} (task, class, type, level, plain, count) " +
  `SELECT task, class, type, level, plain, count FROM ${
    rows("task bigint, class integer, type text, level text, plain boolean, count integer")
  } ON CONFLICT (task, class) DO UPDATE SET count = excluded.count`;

const UPSERT_SERIES = "INSERT INTO {series} (task, series, mode, acc_field, newest, is_text, " +
  "first_part, parts, part_length, classes) SELECT task, series, mode, acc_field, newest, is_text, " +
  `first_part, parts, part_length, coalesce(classes, 'null') FROM ${
    rows(
      "task bigint, series text, mode text, acc_field text, newest integer, is_text boolean, " +
        "first_part integer, parts integer, part_length integer, classes json",
    )
  } ON CONFLICT (task, series) DO UPDATE SET newest = excluded.newest, ` +
  "is_text = excluded.is_text, first_part = excluded.first_part, parts = excluded.parts, " +
  "part_length = excluded.part_length, classes = excluded.classes";

const APPEND_TEXTS = "INSERT INTO {series_parts} AS p (task, series, part, text) " +
  `SELECT task, series, part, text FROM ${
    rows("task bigint, series text, part integer, text text")
  } ON CONFLICT (task, series, part) DO UPDATE SET text = p.text || excluded.text`;

const UPSERT_PRODUCERS = "INSERT INTO {producers} (task, producer, epoch, next_seq) " +
  `SELECT task, producer, epoch, next_seq FROM ${
    rows("task bigint, producer text, epoch bigint, next_seq bigint")
  } ON CONFLICT (task, producer) DO UPDATE SET epoch = excluded.epoch, next_seq = excluded.next_seq`;

const DELETE_SENT = `DELETE FROM {producer_events} e USING ${
  rows("task bigint, producer text")
} WHERE e.task = r.task AND e.producer = r.producer`;

const INSERT_SENT = "INSERT INTO {producer_events} (task, producer, seq, idx) " +
  `SELECT task, producer, seq, idx FROM ${
    rows("task bigint, producer text, seq bigint, idx integer")
  }`;

const DELETE_DUE = `DELETE FROM {due} d USING ${
  rows("task bigint")
} WHERE d.task = r.task AND d.kind IN ('deadline', 'wake', 'lease')`;

const INSERT_DUE = "INSERT INTO {due} (task, kind, at_ms) " +
  `SELECT task, kind, at_ms FROM ${rows("task bigint, kind text, at_ms bigint")}`;

const SCHEDULE_WORK = "INSERT INTO {due} (task, kind, at_ms) " +
  `SELECT task, kind, at_ms FROM ${rows("task bigint, kind text, at_ms bigint")} ` +
  "ON CONFLICT (task, kind) DO NOTHING";
