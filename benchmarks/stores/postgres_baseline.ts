import postgres from "postgres";
import { GroupCommit } from "../../adapters/postgres/group_commit.ts";
import type { Load } from "./load.ts";
import { DATA, loadOf } from "./load.ts";

/** One table of events, and one statement for all calls that waited for the previous one. */
export class PostgresBaseline {
  readonly #sql: postgres.Sql;
  readonly #group: GroupCommit<{ task: number; events: number }, void>;
  #next = 0;
  #task = 0;

  constructor(url: string) {
    this.#sql = postgres(url, { max: 10, onnotice: () => {} });
    this.#group = new GroupCommit({
      commit: (items) => this.#insert(items),
      sizeOf: ({ events }) => events * DATA.length,
      timeoutMs: 5_000,
      maxPending: 10_000,
    });
  }

  async open(): Promise<void> {
    await this.#sql`CREATE TABLE raw (task bigint NOT NULL, idx integer NOT NULL, data json,
      PRIMARY KEY (task, idx))`;
  }

  /** Inserts `events` rows a call. */
  async inserts(concurrency: number, ms: number, events: number): Promise<Load> {
    const first = this.#task;
    this.#task += 32;
    const work = (i: number) => this.#group.add({ task: first + i % 32, events });
    return await loadOf(concurrency, ms, work, events);
  }

  async close(): Promise<void> {
    await this.#sql.end();
  }

  async #insert(items: readonly { task: number; events: number }[]): Promise<void[]> {
    const tasks = items.flatMap(({ task, events }) => Array.from({ length: events }, () => task));
    const indexes = tasks.map(() => this.#next++);
    const data = tasks.map(() => DATA);
    await this.#sql`INSERT INTO raw (task, idx, data) SELECT task, idx, data::json FROM
      unnest(${tasks}::bigint[], ${indexes}::int[], ${data}::text[]) AS r (task, idx, data)`;
    return items.map(() => {});
  }
}
