import type { StoredEvent } from "../../contracts/records.ts";

/** Supplies the snapshots of a collapsed replay in index order, a page at a time. */
export interface SnapshotSource {
  /** The index through which snapshots have been loaded. */
  readonly through: number;
  /**
   * Loads the next snapshots after a position. The previous ones must have been taken.
   *
   * @returns Whether the task still exists in the same incarnation.
   */
  load(position: number): Promise<boolean>;
  /** Removes and returns the loaded snapshots through an index. */
  take(through: number): StoredEvent[];
}
