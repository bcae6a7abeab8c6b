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

/** Who catches up with what. */
export interface CatchUpQuery {
  taskId: string;
  incarnation: string;
  /** The reader is here, as a partial cursor says it. */
  after: number;
  /** The entropy of the event there, where it is known. */
  entropy?: number;
  filter: EventFilter;
  pageSize: number;
  pageBytes: number;
}

/**
 * What came while a collapsed replay was read, in the order of the log: single events of series that
 * the reader was delivered, and each other series as a snapshot in the place of its newest event.
 *
 * A series that goes on while it is awaited is read once and held until its place comes: so each text
 * is sent once, however large it is and however fast it grows, and the reader is at the end as soon as
 * it reads events faster than they are written.
 *
 * @returns Nothing more if the task is gone or another one.
 * @throws {Diverged} When the log is not the one that the reader has read.
 */
export async function* catchUp(
  store: TaskReader,
  query: CatchUpQuery,
  delivered: DeliveredSeries,
): AsyncGenerator<CollapsedItems, void> {
  const { taskId, incarnation, filter, pageSize, pageBytes } = query;
  const missing = new UndeliveredSeries(store, query, delivered);
  const breathe = breather();
  let { entropy } = query;
  for (let position = query.after;;) {
    const heads = await missing.loadHeads({ after: position, limit: pageSize });
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
        const item = await missing.itemOf(event);
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
    const isWhole = isEnd && !missing.hasPending;
    yield { items, position, entropy, isWhole };
    if (isWhole) return;
    await breathe();
  }
}

/** Series that a reader has not been delivered yet, or not as they are at its position. */
class UndeliveredSeries {
  readonly #store: TaskReader;
  readonly #query: CatchUpQuery;
  readonly #delivered: DeliveredSeries;
  readonly #coverage: ReturnType<typeof compileCoverage>;
  /** Folds without texts, as they were at the last look. */
  #heads = new Map<string, SeriesFold>();
  /** The look was at what has its newest event at or before this index. */
  #through = -1;
  /** A text that waits for its place. */
  #held?: SeriesFold;
  /** Since the last look a series moved behind what is being read. */
  #hasMoved = false;

  constructor(store: TaskReader, query: CatchUpQuery, delivered: DeliveredSeries) {
    this.#store = store;
    this.#query = query;
    this.#delivered = delivered;
    this.#coverage = compileCoverage(query.filter);
  }

  /** Whether there are series yet to come behind what was looked at. */
  get hasPending(): boolean {
    return this.#hasMoved || this.#held !== undefined;
  }

  /** Looks which series have their newest event next. */
  async loadHeads(query: { after: number; limit: number }): Promise<FoldPage | undefined> {
    const page = await this.#read({ ...query, texts: false });
    // An event that was trimmed meanwhile does not come, nor what was held for it.
    if (this.#held !== undefined && this.#held.newest.index <= query.after) this.#held = undefined;
    this.#heads = new Map(page?.folds.map((fold) => [fold.seriesId, fold]));
    this.#through = page?.scannedTo ?? query.after;
    this.#hasMoved = false;
    return page;
  }

  /** An event as the reader is given it; nothing if its series comes later. */
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

  /** Where one has gone on while texts were sent others have, too: they are not asked for one by one. */
  async #reloadHeads(after: number): Promise<void> {
    this.#hasMoved = true;
    const { pageSize: limit } = this.#query;
    const page = await this.#read({ after, through: this.#through, limit, texts: false });
    this.#heads = new Map(page?.folds.map((fold) => [fold.seriesId, fold]));
  }

  async #headOf(seriesId: string): Promise<SeriesFold | undefined> {
    const known = this.#heads.get(seriesId);
    // Who is not among them has its newest event behind them, and is delivered there if all of it is wanted.
    if (known !== undefined || matchesEverything(this.#query.filter)) return known;
    const [head] = (await this.#read({ after: -1, limit: 1, texts: false, seriesId }))?.folds ?? [];
    if (head !== undefined) this.#heads.set(seriesId, head);
    return head;
  }

  /** What the filter takes of a series, as of an event that it takes. */
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
