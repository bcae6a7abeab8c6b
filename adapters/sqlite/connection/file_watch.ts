import type { SqliteDatabase, SqliteStatement } from "./driver.ts";

/** Tells those who remember what is in the file when that may not be so any more. */
export class FileWatch {
  readonly #version: SqliteStatement;
  readonly #listeners: (() => void)[] = [];
  #seen?: number;

  constructor(database: SqliteDatabase) {
    this.#version = database.prepare("PRAGMA data_version");
  }

  /** Calls `forget` within a transaction before anything is written that follows from what was known. */
  onChange(forget: () => void): void {
    this.#listeners.push(forget);
  }

  /**
   * Looks whether another connection has written; in a transaction that writes, so that none can
   * after it.
   */
  look(): void {
    const { data_version: version } = this.#version.get() as { data_version: number };
    if (version === this.#seen) return;
    this.#seen = version;
    this.changed();
  }

  /** Something was changed, or what was written was undone. */
  changed(): void {
    for (const forget of this.#listeners) forget();
  }
}
