import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers";
import type { Load } from "./load.ts";
import { DATA, loadOf } from "./load.ts";

/** One table of events, and one transaction for all calls of a turn of the event loop. */
export class SqliteBaseline {
  readonly #database: DatabaseSync;
  readonly #insert: ReturnType<DatabaseSync["prepare"]>;
  #waiting: { task: number; events: number; resolve: () => void }[] = [];
  #next = 0;
  #task = 0;

  constructor(path: string, synchronous: "full" | "normal") {
    this.#database = new DatabaseSync(path);
    this.#database.exec("PRAGMA journal_mode = WAL");
    this.#database.exec(`PRAGMA synchronous = ${synchronous}`);
    this.#database.exec(
      "CREATE TABLE raw (task INTEGER NOT NULL, idx INTEGER NOT NULL, " +
        "data TEXT NOT NULL, PRIMARY KEY (task, idx)) WITHOUT ROWID",
    );
    this.#insert = this.#database.prepare("INSERT INTO raw (task, idx, data) VALUES (?, ?, ?)");
  }

  /** Inserts `events` rows a call. */
  async inserts(concurrency: number, ms: number, events: number): Promise<Load> {
    const first = this.#task;
    this.#task += 32;
    const work = (i: number) => this.#add(first + i % 32, events);
    return await loadOf(concurrency, ms, work, events);
  }

  close(): void {
    this.#database.close();
  }

  #add(task: number, events: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting.push({ task, events, resolve }) === 1) setImmediate(() => this.#flush());
    });
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#database.exec("BEGIN IMMEDIATE");
    for (const { task, events } of waiting) {
      for (let i = 0; i < events; i++) this.#insert.run(task, this.#next++, DATA);
    }
    this.#database.exec("COMMIT");
    for (const { resolve } of waiting) resolve();
  }
}
