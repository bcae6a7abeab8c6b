import type { SqliteDatabase, SqliteStatement } from "./driver.ts";

/** Notifies caches when the file may have changed. */
export class FileWatch {
  readonly #version: SqliteStatement;
  readonly #listeners: (() => void)[] = [];
  #seen?: number;

  constructor(database: SqliteDatabase) {
    this.#version = database.prepare("PRAGMA data_version");
  }

  /**
   * Adds a callback. It runs in a transaction before anything is written that depends on cached
   * rows.
   */
  onChange(forget: () => void): void {
    this.#listeners.push(forget);
  }

  /**
   * Checks whether another connection has written. Within a write transaction, none can afterwards.
   */
  checkForChanges(): void {
    const { data_version: version } = this.#version.get() as { data_version: number };
    if (version === this.#seen) return;
    this.#seen = version;
    this.changed();
  }

  /** Reports a change, or a write that was rolled back. */
  changed(): void {
    for (const forget of this.#listeners) forget();
  }
}
