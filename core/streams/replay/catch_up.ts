import type { SeriesFold, StoredEvent } from "../../contracts/records.ts";
import type { FoldPage, FoldQuery, TaskReader } from "../../contracts/task_reader.ts";
import type { EventFilter } from "../../protocol/event.ts";
import { matchesEverything } from "../../domain/filter.ts";
import { snapshotOf } from "../../domain/series.ts";
import type { CollapsedItems } from "./collapsed_items.ts";
import { assertSame, Diverged, isLost } from "../../context/diverged.ts";
import { FoldsByReading } from "./fold_by_reading.ts";
import { breather } from "./breathe.ts";
import { compileCoverage } from "./series_coverage.ts";
import type { DeliveredSeries } from "./delivered_series.ts";

/** The reader that catches up, and its position. */
export interface CatchUpQuery {
  taskId: string;
  incarnation: string;
  /** The index of the reader's partial cursor. */
  after: number;
  /** The entropy of the event at `after`, if known. */
  entropy?: number;
  filter: EventFilter;
  pageSize: number;
  pageBytes: number;
}

/**
 * Reads what arrived during a collapsed replay, in log order: single events of series that the reader
 * already has, and every other series as a snapshot at the index of its newest event.
 *
 * A series that grows while it is awaited is read once and held until its index is reached. So each text
 * is sent once, however large it is and however fast it grows, and the reader reaches the end as soon as
 * it reads events faster than they are written.
 *
 * @returns Ends early if the task is gone or replaced.
 * @throws {Diverged} If the log is not the one that the reader has read.
 */
export async function* catchUp(
  store: TaskReader,
  query: CatchUpQuery,
  delivered: DeliveredSeries,
): AsyncGenerator<CollapsedItems, void> {
  const { taskId, incarnation, filter, pageSize, pageBytes } = query;
  const undelivered = new UndeliveredSeries(store, query, delivered);
  const breathe = breather();
  let { entropy } = query;
  for (let position = query.after;;) {
    const heads = await undelivered.loadHeads({ after: position, limit: pageSize });
    if (heads === undefined) return;
    const { scannedTo: through } = heads;
    const isEnd = through >= heads.length - 1;
    let items: StoredEvent[] = [];
    for (;;) {
      const page = await store.readLog(taskId, {
        after: position,
        afterEntropy: entropy,
        through,
        limit: pageSize,
        filter,
      });
      if (page === undefined || page.incarnation !== incarnation) return;
      if (isLost(page, Math.max(position, through))) throw new Diverged();
      let bytes = 0;
      for (const event of page.events) {
        const item = await undelivered.itemOf(event);
        if (item === undefined) continue;
        items.push(item);
        bytes += item.data.length;
        if (bytes < pageBytes) continue;
        yield { items, position: event.index, entropy: event.entropy, isWhole: false };
        items = [];
        bytes = 0;
      }
      position = page.scannedTo >= through ? through : page.scannedTo;
      entropy = page.scannedTo === position ? page.entropy : undefined;
      if (position === heads.length - 1) assertSame(entropy, heads.entropy);
      if (position >= through) break;
      yield { items, position, entropy, isWhole: false };
      items = [];
      await breathe();
    }
    const isWhole = isEnd && !undelivered.hasPending;
    yield { items, position, entropy, isWhole };
    if (isWhole) return;
    await breathe();
  }
}

/** The series that a reader does not have as they are at its position. */
class UndeliveredSeries {
  readonly #store: TaskReader;
  readonly #query: CatchUpQuery;
  readonly #delivered: DeliveredSeries;
  readonly #coverage: ReturnType<typeof compileCoverage>;
  /** Folds without texts, as they were when last loaded. */
  #heads = new Map<string, SeriesFold>();
  /** The heads include the series whose newest event is at or before this index. */
  #through = -1;
  /** A fold that waits for the index of its newest event. */
  #held?: SeriesFold;
  /** Set if a series moved to a later index since the heads were loaded. */
  #hasMoved = false;

  constructor(store: TaskReader, query: CatchUpQuery, delivered: DeliveredSeries) {
    this.#store = store;
    this.#query = query;
    this.#delivered = delivered;
    this.#coverage = compileCoverage(query.filter);
  }

  /** Set while series are still to come after the loaded part. */
  get hasPending(): boolean {
    return this.#hasMoved || this.#held !== undefined;
  }

  /** Loads the series whose newest events come next. */
  async loadHeads(query: { after: number; limit: number }): Promise<FoldPage | undefined> {
    const page = await this.#read({ ...query, texts: false });
    // If the event was trimmed meanwhile, its index is never reached.
    if (this.#held !== undefined && this.#held.newest.index <= query.after) this.#held = undefined;
    this.#heads = new Map(page?.folds.map((fold) => [fold.seriesId, fold]));
    this.#through = page?.scannedTo ?? query.after;
    this.#hasMoved = false;
    return page;
  }

  /** Returns the event or the snapshot to send in its place; `undefined` if the series comes later. */
  async itemOf(event: StoredEvent): Promise<StoredEvent | undefined> {
    const { seriesId, seriesMode } = event;
    if (seriesId === undefined || seriesMode === "keep-all") return event;
    const isDelivered = this.#delivered.has(seriesId);
    const item = isDelivered ? event : await this.#snapshotAt(event, seriesId);
    if (item !== undefined) this.#delivered.add(seriesId);
    return item;
  }

  async #snapshotAt(event: StoredEvent, seriesId: string): Promise<StoredEvent | undefined> {
    const { index } = event;
    const held = this.#held?.seriesId === seriesId ? this.#held : undefined;
    if (held !== undefined) {
      if (held.newest.index > index) return undefined;
      this.#held = undefined;
      assertSame(held.newest.entropy, event.entropy);
      return snapshotOf(held);
    }
    const head = await this.#headOf(seriesId);
    if (head === undefined) return undefined;
    if (this.#coverage(head) !== "all") return await this.#foldThrough(index, seriesId);
    if (head.newest.index > index) return undefined;
    const [fold] = (await this.#read({ after: -1, limit: 1, seriesId }))?.folds ?? [];
    if (fold === undefined) return undefined;
    if (fold.newest.index === index) {
      assertSame(fold.newest.entropy, event.entropy);
      return snapshotOf(fold);
    }
    if (this.#coverage(fold) !== "all") return await this.#foldThrough(index, seriesId);
    this.#held ??= fold;
    await this.#reloadHeads(index);
    return undefined;
  }

  /** Reloads all heads, because if one series grew while texts were sent, others probably did too. */
  async #reloadHeads(after: number): Promise<void> {
    this.#hasMoved = true;
    const { pageSize: limit } = this.#query;
    const page = await this.#read({ after, through: this.#through, limit, texts: false });
    this.#heads = new Map(page?.folds.map((fold) => [fold.seriesId, fold]));
  }

  async #headOf(seriesId: string): Promise<SeriesFold | undefined> {
    const known = this.#heads.get(seriesId);
    // A series without a known head has its newest event later, and is sent there as a whole.
    if (known !== undefined || matchesEverything(this.#query.filter)) return known;
    const [head] = (await this.#read({ after: -1, limit: 1, texts: false, seriesId }))?.folds ?? [];
    if (head !== undefined) this.#heads.set(seriesId, head);
    return head;
  }

  /** Returns a snapshot of the matching events of a series through a matching event. */
  async #foldThrough(through: number, seriesId: string): Promise<StoredEvent | undefined> {
    const reading = new FoldsByReading(this.#store, { ...this.#query, through }, [seriesId]);
    if (!await reading.load(through - 1)) return undefined;
    return reading.take(through)[0];
  }

  async #read(query: FoldQuery): Promise<FoldPage | undefined> {
    const page = await this.#store.readFolds(this.#query.taskId, query);
    return page?.incarnation === this.#query.incarnation ? page : undefined;
  }
}
