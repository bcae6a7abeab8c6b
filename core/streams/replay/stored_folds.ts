import type { SeriesFold, StoredEvent } from "../../contracts/records.ts";
import type { FoldPage, TaskReader } from "../../contracts/task_reader.ts";
import { snapshotOf } from "../../domain/series.ts";
import type { SnapshotSource } from "./snapshot_source.ts";

/** Which folds, and for which log. */
export interface StoredFoldsQuery {
  /** The task. */
  taskId: string;
  /** This life of its id. */
  incarnation: string;
  /** Only series whose newest event has this index or a lower one. */
  through: number;
  /** Folds read at a time. */
  pageSize: number;
  /** Only folds of which all events match. */
  isWanted: (fold: SeriesFold) => boolean;
}

/** Snapshots as the store has them folded, a page at a time. */
export class StoredFolds implements SnapshotSource {
  readonly #store: TaskReader;
  readonly #query: StoredFoldsQuery;
  #folds: (SeriesFold | undefined)[] = [];
  #taken = 0;
  through = -1;
  /** Events in the log when the newest page was read. */
  length = 0;

  /** @param first A page that was read already, without a bound on its indexes. */
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
      this.#folds[this.#taken] = undefined; // Its text is not held until the last one is taken.
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
