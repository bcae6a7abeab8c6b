import type {
  ArchivePosition,
  CommitState,
  DueTimes,
  EventDraft,
  EventKind,
  KnownProducer,
  ProducerProgress,
  SeriesKind,
  StoredEvent,
  TaskRecord,
} from "@taskcast/core/adapter";
import type { TaskStatus } from "@taskcast/core/protocol";
import { escapeJsonText, newSeriesKind, storedDue, withEventKind } from "@taskcast/core/adapter";
import type { Changes } from "./changes.ts";
import type { EventRow } from "./event_columns.ts";
import type { ClassRow, SeriesRow, TaskRow } from "./table_rows.ts";
import { withText } from "./text.ts";

/** Maximum length of a part of a series' text, in characters: a part fits in one page. */
export const PART_LENGTH = 2_000;

/** A task as read by a transaction, with the changes that the transaction makes to it. */
export class TaskState implements CommitState {
  readonly row: TaskRow;
  readonly #classes = new Map<string, ClassRow>();
  /** The class of the previous event, which the next event mostly shares. */
  #class?: ClassRow;
  #entropy?: number;
  readonly #series = new Map<string, SeriesRow>();
  readonly #producers = new Map<string, KnownProducer>();
  readonly #trimmed = new Set<number>();
  #lease?: string;
  #leaseDueMs?: number;
  readonly #changes: Changes;

  constructor(row: TaskRow, changes: Changes) {
    this.row = row;
    this.#changes = changes;
  }

  /** Creates a task that is not stored yet. */
  static create(task: number, record: TaskRecord, changes: Changes): TaskState {
    const { id, status, createdAt } = record.task;
    const row: TaskRow = {
      task,
      id,
      incarnation: record.incarnation,
      version: 0,
      status,
      created_at: createdAt,
      length: 0,
      bytes: 0,
      time: 0,
      classes: 0,
      hooked: record.hooked === true,
    };
    changes.created(row, record);
    return new TaskState(row, changes);
  }

  get incarnation(): string {
    return this.row.incarnation;
  }

  get version(): number {
    return this.row.version;
  }

  get status(): TaskStatus {
    return this.row.status;
  }

  get length(): number {
    return this.row.length;
  }

  get dataBytes(): number {
    return this.row.bytes;
  }

  /** The token of the task's lease; known only if a commit of the transaction depends on it. */
  get lease(): string | undefined {
    return this.#lease;
  }

  /** The expiry of the lease; known only if a commit of the transaction depends on it. */
  get leaseDueMs(): number | undefined {
    return this.#leaseDueMs;
  }

  /** The revision and its newest event; `undefined` if nothing was appended, as that is not read. */
  get position(): ArchivePosition | undefined {
    const { version, length } = this.row;
    return this.#entropy === undefined ? undefined : { version, length, entropy: this.#entropy };
  }

  /** Adds a row of an event kind. */
  addClass(row: ClassRow): void {
    this.#classes.set(classKey(row), row);
  }

  /** Adds a row of a series. */
  addSeries(row: SeriesRow): void {
    this.#series.set(row.series, row);
  }

  /** Adds the lease of the task. */
  addLease(lease: string | null, dueMs: number | null): void {
    this.#lease = lease ?? undefined;
    this.#leaseDueMs = dueMs ?? undefined;
  }

  /** Adds the progress of a producer. */
  addProducer(id: string, producer: KnownProducer): void {
    this.#producers.set(id, producer);
  }

  /** Adds the index of an event that a producer has sent and that was removed since. */
  addTrimmed(index: number): void {
    this.#trimmed.add(index);
  }

  /** Returns true if an event that a producer repeats is known to be removed. */
  isTrimmed(index: number): boolean {
    return this.#trimmed.has(index);
  }

  /** Returns the progress of a producer. */
  producer(id: string): KnownProducer | undefined {
    return this.#producers.get(id);
  }

  /** Returns the kind with which a series began. */
  seriesKind(seriesId: string): SeriesKind | undefined {
    const row = this.#series.get(seriesId);
    return row && { mode: row.mode, accField: row.acc_field ?? undefined };
  }

  /** Replaces the record, and the due times if any are given. */
  replace(record: TaskRecord, due?: DueTimes): void {
    this.row.incarnation = record.incarnation;
    this.row.version = record.version;
    this.row.status = record.task.status;
    this.#changes.replaced(this.row, record);
    if (due === undefined) return;
    const times = storedDue(due, this.#leaseDueMs);
    this.#lease = record.lease;
    this.#leaseDueMs = times.lease;
    this.#changes.due(this.row.task, times);
  }

  /** Adds what a commit's producers have sent. */
  addSent(progress: ReadonlyMap<string, ProducerProgress>): void {
    for (const [id, { epoch, nextSeq, added }] of progress) {
      const known = this.#producers.get(id);
      const isNewEpoch = known !== undefined && known.epoch !== epoch;
      this.#changes.producer(this.row.task, id, { epoch, nextSeq, added, isNewEpoch });
      this.#producers.set(id, {
        epoch,
        nextSeq,
        indexOf: (seq) => added.get(seq) ?? known!.indexOf(seq),
      });
    }
  }

  /** Appends a draft that has been checked, and returns the stored event. */
  append(draft: EventDraft, nowMs: number): StoredEvent {
    const series = this.add(draft, nowMs);
    const { type, level, data, entropy, seriesId } = draft;
    const { length, time } = this.row;
    const event: StoredEvent = { index: length - 1, timestamp: time, entropy, type, level, data };
    if (series !== undefined) {
      event.seriesId = seriesId;
      event.seriesMode = series.mode;
      if (series.acc_field !== null) event.accField = series.acc_field;
    }
    return event;
  }

  /** Appends a draft that has been checked, and returns its series, if it has one. */
  add(draft: EventDraft, nowMs: number): SeriesRow | undefined {
    const { row } = this;
    const index = row.length++;
    row.time = Math.max(nowMs, row.time);
    row.bytes += draft.data.length;
    const { data, entropy, seriesId } = draft;
    this.#entropy = entropy;
    const series = seriesId === undefined ? undefined : this.#seriesOf(seriesId, draft);
    const place = series && this.#addToSeries(series, draft, index);
    const kind = this.#classOf(draft, series === undefined || series.mode === "keep-all");
    const event: EventRow = {
      task: row.task,
      idx: index,
      class: kind.class,
      place: kind.count++,
      time: row.time,
      entropy,
    };
    if (series !== undefined) event.series = seriesId;
    if (place === undefined) event.data = data;
    else Object.assign(event, place);
    this.#changes.event(event);
    this.#changes.changed(row);
    return series;
  }

  #classOf({ type, level }: EventKind, plain: boolean): ClassRow {
    const before = this.#class;
    if (before?.type === type && before.level === level && before.plain === plain) return before;
    const key = classKey({ type, level, plain });
    let kind = this.#classes.get(key);
    if (kind === undefined) {
      const { task } = this.row;
      kind = { task, class: this.row.classes++, type, level, plain, count: 0 };
      this.#classes.set(key, kind);
    }
    this.#changes.classes.add(kind);
    return this.#class = kind;
  }

  #seriesOf(seriesId: string, draft: EventDraft): SeriesRow {
    let series = this.#series.get(seriesId);
    if (series === undefined) {
      const { mode, accField = null } = newSeriesKind(draft);
      series = {
        task: this.row.task,
        series: seriesId,
        mode,
        acc_field: accField,
        newest: 0,
        is_text: false,
        first_part: 0,
        parts: 0,
        part_length: 0,
        classes: [],
      };
      this.#series.set(seriesId, series);
    }
    return series;
  }

  /** Returns where the text of its series holds the event's data, if it holds all of it. */
  #addToSeries(
    series: SeriesRow,
    { type, level, data, delta }: EventDraft,
    index: number,
  ): { part: number; at: number; len: number } | undefined {
    series.newest = index;
    this.#changes.series.add(series);
    if (series.mode === "keep-all") return undefined;
    series.classes = withEventKind(series.classes, { type, level });
    if (series.mode !== "accumulate") return undefined;
    if (delta === undefined) {
      // Earlier events still need the parts so far.
      Object.assign(series, { is_text: false, first_part: series.parts, part_length: PART_LENGTH });
      return undefined;
    }
    const text = escapeJsonText(delta);
    series.is_text = true;
    if (series.parts === 0 || series.part_length + text.length > PART_LENGTH) {
      series.parts++;
      series.part_length = 0;
    }
    const place = { part: series.parts - 1, at: series.part_length, len: text.length };
    series.part_length += text.length;
    this.#changes.text(series, place.part, text);
    return data === withText(series.acc_field!, text) ? place : undefined;
  }
}

function classKey({ type, level, plain }: EventKind & { plain: boolean }): string {
  return `${plain} ${level} ${type}`;
}
