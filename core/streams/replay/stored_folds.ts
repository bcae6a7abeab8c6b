import type { SeriesFold, StoredEvent } from "../../contracts/records.ts";
import type { FoldPage, TaskReader } from "../../contracts/task_reader.ts";
import { snapshotOf } from "../../domain/series.ts";
import type { SnapshotSource } from "./snapshot_source.ts";

/** Selects the folds of one log. */
export interface StoredFoldsQuery {
  /** The task. */
  taskId: string;
  /** The incarnation of the task. */
  incarnation: string;
  /** Returns only series whose newest event is at or below this index. */
  through: number;
  /** Number of folds read at a time. */
  pageSize: number;
  /** Returns whether all events of a fold match. */
  isWanted: (fold: SeriesFold) => boolean;
}

/** Returns snapshots from the store's own folds, a page at a time. */
export class StoredFolds implements SnapshotSource {
  readonly #store: TaskReader;
  readonly #query: StoredFoldsQuery;
  #folds: (SeriesFold | undefined)[] = [];
  #taken = 0;
  through = -1;
  /** Number of events in the log when the newest page was read. */
  length = 0;

  /** @param first A page that has already been read, without an upper bound. */
  constructor(store: TaskReader, query: StoredFoldsQuery, first: FoldPage) {
    this.#store = store;
    this.#query = query;
    this.#setPage(first);
  }

  async load(position: number): Promise<boolean> {
    const { taskId, incarnation, through, pageSize } = this.#query;
    const page = await this.#store.readFolds(taskId, {
      after: position,
      through,
      limit: pageSize,
    });
    if (page === undefined || page.incarnation !== incarnation) return false;
    this.#setPage(page);
    return true;
  }

  take(through: number): StoredEvent[] {
    const snapshots: StoredEvent[] = [];
    for (; this.#taken < this.#folds.length; this.#taken++) {
      const fold = this.#folds[this.#taken]!;
      if (fold.newest.index > through) break;
      snapshots.push(snapshotOf(fold));
      this.#folds[this.#taken] = undefined; // Releases its text.
    }
    return snapshots;
  }

  #setPage({ folds, scannedTo, length }: FoldPage): void {
    this.#folds = folds.filter(this.#query.isWanted);
    this.#taken = 0;
    this.through = scannedTo;
    this.length = length;
  }
}
