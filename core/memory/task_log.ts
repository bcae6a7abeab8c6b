import type { EventDraft, StoredEvent } from "../contracts/records.ts";
import type { Trim } from "../contracts/log_trimmer.ts";
import type { LogQuery } from "../contracts/task_reader.ts";
import type { EventFilter, Level } from "../protocol/event.ts";
import type { SeriesKind } from "../domain/commits/append.ts";
import { compileFilter, matchesEverything } from "../domain/filter.ts";
import { countBelow, merged } from "./index_list.ts";
import { Producers } from "./producers.ts";
import { SeriesIndex } from "./series_index.ts";

/** Bytes counted for an event in addition to its data: the object and its index entries. */
export const EVENT_OVERHEAD_BYTES = 200;

/** The events of one type and level. */
interface Posting {
  type: string;
  level: Level;
  /** Indexes of all its events, and of the standalone ones. */
  all: number[];
  plain: number[];
}

/**
 * The log of one task, with the indexes that make reads cheap: the positions of each event kind,
 * the positions of standalone events, and the fold of each series.
 */
export class TaskLog {
  /** Events by index; trimmed ones are `undefined`. */
  readonly #events: (StoredEvent | undefined)[] = [];
  readonly #postings = new Map<string, Posting>();
  readonly #plain: number[] = [];
  /** The posting list of the newest event. */
  #newest?: Posting;
  /** The remaining indexes of a trimmed log; built by the first read after a trim. */
  #left?: { all: number[]; plain: number[]; postings: Posting[] };
  readonly series: SeriesIndex = new SeriesIndex();
  readonly producers: Producers = new Producers();
  /** Bytes of data, as JSON text. */
  dataBytes = 0;
  /** The highest index that was trimmed. */
  trimmedThrough?: number;

  /** Number of events, including trimmed ones. */
  get length(): number {
    return this.#events.length;
  }

  /** Returns the event at an index, or `undefined` if it was trimmed. */
  at(index: number): StoredEvent | undefined {
    return this.#events[index];
  }

  /** Appends a draft that was checked. */
  append(draft: EventDraft, nowMs: number, kind: SeriesKind | undefined): StoredEvent {
    const { entropy, level, data, seriesId } = draft;
    const index = this.#events.length;
    const before = this.#events[index - 1];
    const timestamp = before === undefined ? nowMs : Math.max(nowMs, before.timestamp);
    const posting = this.#postingOf(draft.type, level);
    // Shared strings, so that events do not hold one each.
    const { type } = posting;
    // Created with all fields, because adding fields later takes more memory.
    let event: StoredEvent;
    if (seriesId === undefined || kind === undefined) {
      event = { index, timestamp, entropy, type, level, data };
    } else {
      const { mode: seriesMode, accField } = kind;
      event = seriesMode === "accumulate"
        ? { index, timestamp, entropy, type, level, data, seriesId, seriesMode, accField }
        : { index, timestamp, entropy, type, level, data, seriesId, seriesMode };
      this.series.add(event, draft);
    }
    this.#events.push(event);
    posting.all.push(index);
    if (event.seriesMode === undefined || event.seriesMode === "keep-all") {
      posting.plain.push(index);
      this.#plain.push(index);
    }
    this.producers.add(draft, index);
    this.dataBytes += data.length;
    return event;
  }

  /** Reads the events that match a query, and reports how far the log was scanned for them. */
  read(query: LogQuery): { events: StoredEvent[]; scannedTo: number } {
    const {
      after,
      limit,
      maxBytes = Infinity,
      filter,
      standalone: plain = false,
      backward = false,
    } = query;
    const from = Math.max(0, after + 1);
    const to = Math.min(query.through ?? Infinity, this.length - 1);
    const end = backward ? after + 1 : Math.max(to, after);
    const events: StoredEvent[] = [];
    let bytes = 0;
    for (const index of this.#indexes(filter, plain, from, to, backward)) {
      const event = this.#events[index]!;
      events.push(event);
      bytes += event.data.length;
      if (events.length === limit || bytes >= maxBytes) return { events, scannedTo: index };
    }
    return { events, scannedTo: end };
  }

  /** Removes events and folds, and returns the events. Their indexes still count. */
  trim({ indexes, series }: Trim): StoredEvent[] {
    const removed: StoredEvent[] = [];
    for (const index of indexes) {
      const event = this.#events[index];
      if (event === undefined) continue;
      this.#events[index] = undefined;
      this.dataBytes -= event.data.length;
      this.trimmedThrough = Math.max(index, this.trimmedThrough ?? 0);
      removed.push(event);
    }
    for (const seriesId of series) this.series.delete(seriesId);
    if (removed.length > 0) this.#left = undefined;
    return removed;
  }

  /** Returns how many events before each index match. */
  countMatches(filter: EventFilter, indexes: readonly number[]): number[] {
    if (matchesEverything(filter)) return indexes.map((index) => Math.min(index, this.length));
    const matches = compileFilter(filter);
    const postings = [...this.#postings.values()].filter(matches);
    return indexes.map((index) =>
      postings.reduce((sum, { all }) => sum + countBelow(all, index), 0)
    );
  }

  *#indexes(
    filter: EventFilter | undefined,
    plain: boolean,
    from: number,
    to: number,
    backward: boolean,
  ): Generator<number, void> {
    const left = this.trimmedThrough === undefined ? undefined : this.#left ??= this.#whatIsLeft();
    if (!matchesEverything(filter)) {
      const matches = compileFilter(filter);
      const postings = [...left?.postings ?? this.#postings.values()].filter(matches);
      yield* merged(postings.map((p) => plain ? p.plain : p.all), from, to, backward);
    } else if (plain) {
      yield* merged([left?.plain ?? this.#plain], from, to, backward);
    } else if (left !== undefined) {
      yield* merged([left.all], from, to, backward);
    } else {
      const step = backward ? -1 : 1;
      for (let i = backward ? to : from; i >= from && i <= to; i += step) yield i;
    }
  }

  #whatIsLeft(): { all: number[]; plain: number[]; postings: Posting[] } {
    const isLeft = (index: number) => this.#events[index] !== undefined;
    const postings = [...this.#postings.values()].map(({ type, level, all, plain }) => ({
      type,
      level,
      all: all.filter(isLeft),
      plain: plain.filter(isLeft),
    }));
    const all = [...this.#events.keys()].filter(isLeft);
    return { all, plain: this.#plain.filter(isLeft), postings };
  }

  #postingOf(type: string, level: Level): Posting {
    const newest = this.#newest;
    // Usually the same kind as that of the previous event, so no key is needed.
    if (newest !== undefined && newest.type === type && newest.level === level) return newest;
    const key = `${level} ${type}`;
    let posting = this.#postings.get(key);
    if (posting === undefined) {
      posting = { type, level, all: [], plain: [] };
      this.#postings.set(key, posting);
    }
    return this.#newest = posting;
  }
}
