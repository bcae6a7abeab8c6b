import type { StoredEvent } from "../../contracts/records.ts";

/** Where snapshots of a collapsed replay come from, in index order and a page at a time. */
export interface SnapshotSource {
  /** Everything through this index has been loaded. */
  readonly through: number;
  /**
   * Loads what comes after a position, when what was loaded has been taken.
   *
   * @returns Whether the task is still there, in the same life.
   */
  load(position: number): Promise<boolean>;
  /** Takes everything that was loaded through an index. */
  take(through: number): StoredEvent[];
}
