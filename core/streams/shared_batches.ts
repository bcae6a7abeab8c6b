import type { LogPosition } from "./log_position.ts";

/** The readers of one filter and format, and their newest batch. */
interface Group {
  readers: number;
  /** The position at which the newest batch begins. */
  after: LogPosition;
  batch?: Promise<unknown>;
}

/**
 * Batches of snapshots, each read once for all readers that have the same filter and format and stand at
 * the same position. Only the newest batch of a group is kept.
 */
export class SharedBatches {
  readonly #groups = new Map<string, Group>();

  /** Adds a reader to the group of a filter and format. */
  join(key: string): void {
    const group = this.#groups.get(key) ?? { readers: 0, after: { through: -1 } };
    group.readers++;
    this.#groups.set(key, group);
  }

  /** Removes a reader from its group; the last one takes the newest batch with it. */
  leave(key: string): void {
    if (--this.#groups.get(key)!.readers === 0) this.#groups.delete(key);
  }

  /** Returns the batch that begins after a position. `make` is called if it is not the newest one. */
  get<Batch>(key: string, after: LogPosition, make: () => Promise<Batch>): Promise<Batch> {
    const group = this.#groups.get(key)!;
    if (group.batch !== undefined && isSame(group.after, after)) {
      return group.batch as Promise<Batch>;
    }
    const batch = make();
    group.after = after;
    group.batch = batch;
    batch.catch(() => this.discard(key, after));
    return batch;
  }

  /** Discards a batch, so that the next reader makes a new one. */
  discard(key: string, after: LogPosition): void {
    const group = this.#groups.get(key);
    if (group !== undefined && isSame(group.after, after)) group.batch = undefined;
  }
}

function isSame(a: LogPosition, b: LogPosition): boolean {
  return a.through === b.through && a.entropy === b.entropy;
}
