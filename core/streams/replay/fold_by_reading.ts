import type { SeriesFold, StoredEvent } from "../../contracts/records.ts";
import type { TaskReader } from "../../contracts/task_reader.ts";
import type { EventFilter } from "../../protocol/event.ts";
import { deltaOf, snapshotOf } from "../../domain/series.ts";
import { breather } from "./breathe.ts";
import { Diverged, isLost } from "../../context/diverged.ts";
import type { SnapshotSource } from "./snapshot_source.ts";

/** The events to fold. */
export interface FoldsByReadingQuery {
  /** The task. */
  taskId: string;
  /** The incarnation of the task. */
  incarnation: string;
  /** Folds only matching events. */
  filter: EventFilter;
  /** Folds only events through this index. */
  through: number;
  /** Number of events read at a time. */
  pageSize: number;
  /** Approximate bytes of texts held at a time; always at least one series. */
  pageBytes: number;
}

/** A series, and the index of its newest matching event. */
interface NewestIndex {
  seriesId: string;
  index: number;
}

/** A fold in progress. */
interface PartialFold {
  fold: SeriesFold;
  parts: string[];
  bytes: number;
}

/**
 * Folds series from the events that match a filter, by reading the log. It serves the rare filter that
 * matches only some events of a series; a store's own folds do not depend on a filter.
 *
 * All series are folded in one pass if their texts fit into {@linkcode FoldsByReadingQuery.pageBytes}.
 * Otherwise the log is read once for each page of series. Only one page of texts, and the newest index of
 * each series, are in memory.
 */
export class FoldsByReading implements SnapshotSource {
  readonly #store: TaskReader;
  readonly #query: FoldsByReadingQuery;
  readonly #ids: Set<string>;
  /** The remaining series, by newest index; `undefined` until the log has been read. */
  #order?: NewestIndex[];
  #folds = new Map<string, PartialFold>();
  through = -1;

  constructor(store: TaskReader, query: FoldsByReadingQuery, ids: Iterable<string>) {
    this.#store = store;
    this.#query = query;
    this.#ids = new Set(ids);
    if (this.#ids.size === 0) this.through = query.through;
  }

  has(seriesId: string): boolean {
    return this.#ids.has(seriesId);
  }

  /** Adds further series that have events after a position. */
  add(seriesIds: Iterable<string>, position: number): void {
    for (const id of seriesIds) this.#ids.add(id);
    this.#order = undefined;
    this.#folds.clear();
    this.through = position;
  }

  async load(position: number): Promise<boolean> {
    if (this.#order === undefined) {
      if (!await this.#read()) return false;
      this.#order = this.#order!.filter(({ index }) => index > position);
    }
    if (this.#folds.size === 0 && this.#order.length > 0) return await this.#read();
    this.#limitTo(this.#folds.size === 0 ? 0 : this.#order.length);
    return true;
  }

  take(through: number): StoredEvent[] {
    const order = this.#order ?? [];
    let count = 0;
    const snapshots: StoredEvent[] = [];
    for (; count < order.length && order[count]!.index <= through; count++) {
      const { seriesId } = order[count]!;
      const reading = this.#folds.get(seriesId);
      if (reading !== undefined) snapshots.push(snapshotOf(foldOf(reading)));
      this.#folds.delete(seriesId);
    }
    order.splice(0, count);
    return snapshots;
  }

  /** Returns the newest indexes of the remaining series. Reads the log if necessary. */
  async newestIndexes(position: number): Promise<number[] | undefined> {
    if (!await this.load(position)) return undefined;
    return this.#order!.map(({ index }) => index);
  }

  /** Notes that only the first `count` series have been folded. */
  #limitTo(count: number): void {
    const isAll = count >= this.#order!.length;
    this.through = isAll ? this.#query.through : this.#order![count - 1]!.index;
  }

  /**
   * Reads the whole log. The first pass finds the order of the series, and keeps their texts unless they
   * exceed the bound. A later pass keeps the first series in that order that fit.
   */
  async #read(): Promise<boolean> {
    const { pageBytes } = this.#query;
    const order = this.#order;
    const ranks = order && new Map(order.map(({ seriesId }, rank) => [seriesId, rank]));
    const newest = new Map<string, number>();
    let kept = order?.length ?? Infinity;
    let bytes = 0;
    const isRead = await this.#readEvents((event) => {
      const seriesId = event.seriesId!;
      if (order === undefined) newest.set(seriesId, event.index);
      if ((ranks?.get(seriesId) ?? (order === undefined ? 0 : kept)) >= kept) return;
      const reading = this.#folds.get(seriesId) ?? begin(event);
      this.#folds.set(seriesId, reading);
      bytes -= reading.bytes;
      addTo(reading, event);
      bytes += reading.bytes;
      while (bytes > pageBytes && this.#folds.size > 1) {
        if (order === undefined) {
          this.#folds.clear();
          bytes = kept = 0;
          break;
        }
        const { seriesId: last } = order[--kept]!;
        bytes -= this.#folds.get(last)?.bytes ?? 0;
        this.#folds.delete(last);
      }
    });
    if (!isRead) return false;
    this.#order ??= [...newest].map(([seriesId, index]) => ({ seriesId, index }))
      .sort((a, b) => a.index - b.index);
    if (order !== undefined) this.#limitTo(kept);
    return true;
  }

  /** Calls back with each event of the series. Returns `false` if the task is gone. */
  async #readEvents(onEvent: (event: StoredEvent) => void): Promise<boolean> {
    const { taskId, incarnation, filter, through, pageSize } = this.#query;
    const breathe = breather();
    let afterEntropy: number | undefined;
    for (let after = -1; after < through;) {
      const query = { after, afterEntropy, through, limit: pageSize, filter };
      const page = await this.#store.readLog(taskId, query);
      if (page === undefined || page.incarnation !== incarnation) return false;
      if (isLost(page, through)) throw new Diverged();
      for (const event of page.events) {
        const { seriesId, seriesMode: mode } = event;
        if (seriesId === undefined || !this.#ids.has(seriesId)) continue;
        if (mode === "latest" || mode === "accumulate") onEvent(event);
      }
      after = Math.max(page.scannedTo, after + 1);
      afterEntropy = page.scannedTo === after ? page.entropy : undefined;
      if (after < through) await breathe();
    }
    return true;
  }
}

function begin(event: StoredEvent): PartialFold {
  const { seriesId, seriesMode, accField } = event;
  const mode = seriesMode as SeriesFold["mode"];
  const fold = { seriesId: seriesId!, mode, accField, newest: event, eventKinds: [] };
  return { fold, parts: [], bytes: 0 };
}

function addTo(reading: PartialFold, event: StoredEvent): void {
  const { fold } = reading;
  const before = fold.newest === event ? 0 : fold.newest.data.length;
  if (reading.bytes === 0) reading.bytes = event.data.length;
  else reading.bytes += event.data.length - before;
  fold.newest = event;
  if (fold.mode !== "accumulate") return;
  const delta = deltaOf(event.data, event.accField ?? "");
  if (delta === undefined) {
    reading.parts = [];
    reading.bytes = event.data.length;
    fold.text = undefined;
  } else {
    reading.parts.push(delta);
    reading.bytes += delta.length;
    fold.text = "";
  }
}

function foldOf({ fold, parts }: PartialFold): SeriesFold {
  return fold.text === undefined ? fold : { ...fold, text: parts.join("") };
}
