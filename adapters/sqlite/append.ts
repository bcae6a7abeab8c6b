import type { Level } from "@taskcast/core/protocol";
import type { EventDraft, EventKind, SeriesKind, StoredEvent } from "@taskcast/core/adapter";
import { escapeJsonText, withEventKind } from "@taskcast/core/adapter";
import { TaskcastError } from "@taskcast/core/protocol";
import { EventInserter } from "./rows/event_inserter.ts";
import type { Statements } from "./connection/statements.ts";
import type { CountedClassRow, SeriesRow, TaskRow } from "./rows/tables.ts";
import {
  blockOf,
  INDEXES,
  SELECT_COUNTED_CLASS,
  SERIES_COLUMNS,
  toStoredEvent,
} from "./rows/tables.ts";

// Statements are looked up by their text, so the texts are built once, not per event.
const INSERT_CLASS =
  "INSERT INTO {classes} (task, class, type, level, plain, count) VALUES (?, ?, ?, ?, ?, 0)";
const NEXT_CLASS = "SELECT COALESCE(MAX(class) + 1, 0) AS id FROM {classes} WHERE task = ?";
const INSERT_BLOCK = "INSERT INTO {class_blocks} (task, class, block) VALUES (?, ?, ?)";
const SELECT_SERIES = `SELECT ${SERIES_COLUMNS} FROM {series} WHERE task = ? AND series = ?`;
const REPLACE_SERIES = "INSERT OR REPLACE INTO {series} (task, series, mode, acc_field, newest, " +
  "is_text, parts, part_bytes, classes, left_events) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const SELECT_LEASE = "SELECT json_extract(record, '$.lease') AS lease FROM {tasks} WHERE task = ?";
const APPEND_TEXT = "INSERT INTO {series_parts} (task, series, part, text) VALUES (?, ?, ?, ?) " +
  "ON CONFLICT (task, series, part) DO UPDATE SET text = text || excluded.text";

/** Characters after which a part of a series' text ends and the next begins. */
const PART_LENGTH = 16 * 1024;

/**
 * Appends events to one task's log. Collects them, and what many events of a commit change, such as
 * texts of series, until {@linkcode Appender.save} writes all together. Caches rows for the next
 * commit.
 */
export class Appender {
  readonly #sql: Statements;
  /** The task, including appended events. */
  readonly row: TaskRow;
  readonly #events: EventInserter;
  readonly #series = new Map<string, SeriesRow | undefined>();
  readonly #classes = new Map<string, CountedClassRow>();
  readonly #changed = new Set<SeriesRow>();
  /** Additions to the newest text part of each series. */
  readonly #texts = new Map<SeriesRow, string[]>();
  /** `undefined` until it is read. */
  #lease: { token: string | undefined } | undefined;

  constructor(sql: Statements, row: TaskRow) {
    this.#sql = sql;
    this.#events = new EventInserter(sql);
    this.row = row;
  }

  /** Number of cached event kinds and series. */
  get entries(): number {
    return this.#series.size + this.#classes.size;
  }

  /** The token of the task's lease. Read on first use, since most commits name no lease. */
  get lease(): string | undefined {
    this.#lease ??= {
      token: this.#sql.one<{ lease: string | null }>(SELECT_LEASE, this.row.task)?.lease ??
        undefined,
    };
    return this.#lease.token;
  }

  /** Looks up a series. */
  seriesKind(seriesId: string): SeriesKind | undefined {
    const stored = this.#seriesOf(seriesId);
    return stored && { mode: stored.mode, accField: stored.acc_field ?? undefined };
  }

  /** Appends a draft that has been checked. */
  append(draft: EventDraft, nowMs: number): StoredEvent {
    const row = this.row;
    if (row.length >= INDEXES) {
      throw new TaskcastError(
        "TASK_FULL",
        `Cannot append: the task has had ${INDEXES} events, and a SQLite file takes no more of one`,
      );
    }
    const index = row.length++;
    row.timestamp = Math.max(nowMs, row.timestamp);
    row.bytes += draft.data.length;
    const series = this.#addToSeries(draft, index);
    const plain = series === undefined || series.mode === "keep-all";
    const ofClass = this.#classOf(draft, plain);
    this.#enterBlock(ofClass, index);
    this.#events.add([
      row.task,
      index,
      row.timestamp,
      draft.entropy,
      ofClass.class,
      ofClass.count++,
      row.bytes,
      draft.seriesId ?? null,
      draft.data,
    ]);
    return toStoredEvent({
      idx: index,
      timestamp: row.timestamp,
      entropy: draft.entropy,
      type: draft.type,
      level: draft.level,
      data: draft.data,
      series: draft.seriesId ?? null,
      mode: series?.mode ?? null,
      acc_field: series?.acc_field ?? null,
    });
  }

  #classOf({ type, level }: EventKind, plain: boolean): CountedClassRow {
    const key = keyOf({ type, level, plain: Number(plain) });
    let row = this.#classes.get(key);
    if (row === undefined) {
      const { task } = this.row;
      row =
        this.#sql.one<CountedClassRow>(SELECT_COUNTED_CLASS, task, type, level, Number(plain)) ??
          this.#newClass(type, level, Number(plain));
      this.#classes.set(key, row);
    }
    return row;
  }

  #newClass(type: string, level: Level, plain: number): CountedClassRow {
    const { task } = this.row;
    const { id } = this.#sql.one<{ id: number }>(NEXT_CLASS, task)!;
    this.#sql.run(INSERT_CLASS, task, id, type, level, plain);
    return { class: id, type, level, plain, count: 0, newest: null };
  }

  /** Adds an index to the blocks of a class. */
  #enterBlock(ofClass: CountedClassRow, index: number): void {
    const { newest } = ofClass;
    const block = blockOf(index);
    if (newest === null || blockOf(newest) < block) {
      this.#sql.run(INSERT_BLOCK, this.row.task, ofClass.class, block);
    }
    ofClass.newest = index;
  }

  /** Writes the appended events and their other changes. */
  save(): void {
    const { task } = this.row;
    this.#events.write();
    for (const series of this.#changed) {
      this.#saveText(series);
      this.#sql.run(
        REPLACE_SERIES,
        task,
        series.series,
        series.mode,
        series.acc_field,
        series.newest,
        series.is_text,
        series.parts,
        series.part_bytes,
        series.classes,
        series.left_events,
      );
    }
    this.#changed.clear();
  }

  #addToSeries(draft: EventDraft, index: number): SeriesRow | undefined {
    const { seriesId } = draft;
    if (seriesId === undefined) return undefined;
    const series = this.#seriesOf(seriesId) ?? this.#newSeries(seriesId, draft);
    series.newest = index;
    if (series.left_events !== null) series.left_events++;
    if (series.mode !== "keep-all") this.#addClass(series, draft);
    if (series.mode === "accumulate") this.#addText(series, draft.delta);
    this.#changed.add(series);
    return series;
  }

  #addClass(series: SeriesRow, { type, level }: EventKind): void {
    const classes: EventKind[] | null = JSON.parse(series.classes);
    const changed = withEventKind(classes, { type, level });
    if (changed !== classes) series.classes = JSON.stringify(changed);
  }

  #addText(series: SeriesRow, delta: string | undefined): void {
    if (delta === undefined) {
      this.#texts.delete(series);
      this.#sql.run(
        "DELETE FROM {series_parts} WHERE task = ? AND series = ?",
        this.row.task,
        series.series,
      );
      Object.assign(series, { is_text: 0, parts: 0, part_bytes: 0 });
      return;
    }
    const text = escapeJsonText(delta);
    series.is_text = 1;
    if (series.parts > 0 && series.part_bytes + text.length <= PART_LENGTH) {
      series.part_bytes += text.length;
    } else {
      this.#saveText(series);
      series.parts++;
      series.part_bytes = text.length;
    }
    const texts = this.#texts.get(series);
    if (texts === undefined) this.#texts.set(series, [text]);
    else texts.push(text);
  }

  /** Appends to the newest part of a series' text, which rewrites that part. */
  #saveText(series: SeriesRow): void {
    const texts = this.#texts.get(series);
    if (texts === undefined) return;
    this.#texts.delete(series);
    this.#sql.run(
      APPEND_TEXT,
      this.row.task,
      series.series,
      series.parts - 1,
      texts.join(""),
    );
  }

  #seriesOf(seriesId: string): SeriesRow | undefined {
    if (!this.#series.has(seriesId)) {
      this.#series.set(
        seriesId,
        this.#sql.one<SeriesRow>(SELECT_SERIES, this.row.task, seriesId),
      );
    }
    return this.#series.get(seriesId);
  }

  #newSeries(seriesId: string, { seriesMode = "keep-all", accField }: EventDraft): SeriesRow {
    const series: SeriesRow = {
      series: seriesId,
      mode: seriesMode,
      acc_field: seriesMode === "accumulate" ? accField ?? null : null,
      newest: 0,
      is_text: 0,
      parts: 0,
      part_bytes: 0,
      classes: "[]",
      left_events: 0,
      newest_event: null,
    };
    this.#series.set(seriesId, series);
    return series;
  }
}

function keyOf({ type, level, plain }: EventKind & { plain: number }): string {
  return `${plain} ${level} ${type}`;
}
