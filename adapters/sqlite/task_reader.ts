import type {
  FoldPage,
  FoldQuery,
  HealthReport,
  ListPage,
  ListQuery,
  LogPage,
  LogQuery,
  TaskHead,
  TaskReader,
} from "@taskcast/core/adapter";
import type { EventFilter } from "@taskcast/core/protocol";
import { TaskcastError } from "@taskcast/core/protocol";
import type { Connection } from "./connection/connection.ts";
import { Reader } from "./reader.ts";
import { Statements } from "./connection/statements.ts";
import { eventKey, lastEventKey } from "./rows/tables.ts";

/** Tasks and logs in the tables of a SQLite file that have a prefix. */
export class SqliteTaskReader implements TaskReader {
  readonly #connection: Connection;
  /** Statements on these tables. */
  protected readonly sql: Statements;
  /** Reads of these tables. */
  protected readonly reader: Reader;
  #inUse = false;
  #closed = false;

  constructor(connection: Connection, prefix: string) {
    this.#connection = connection;
    this.sql = new Statements(connection.database, prefix);
    this.reader = new Reader(this.sql);
  }

  async getTask(taskId: string, at?: number): Promise<TaskHead | undefined> {
    return await this.read(() => this.reader.task(taskId, at));
  }

  async listTasks(query: ListQuery): Promise<ListPage> {
    return await this.read(() => this.reader.list(query));
  }

  async readLog(taskId: string, query: LogQuery): Promise<LogPage | undefined> {
    return await this.read(() => this.reader.log(taskId, query));
  }

  async readFolds(taskId: string, query: FoldQuery): Promise<FoldPage | undefined> {
    return await this.read(() => this.reader.folds(taskId, query));
  }

  async countMatches(
    taskId: string,
    filter: EventFilter,
    indexes: readonly number[],
    incarnation?: string,
  ): Promise<number[] | undefined> {
    return await this.read(() => this.reader.countMatches(taskId, filter, indexes, incarnation));
  }

  async check(): Promise<HealthReport | void> {
    try {
      this.#connection.assertThere();
    } catch (error) {
      return { status: "unavailable", message: (error as Error).message };
    }
    await this.getTask("");
  }

  async close(): Promise<void> {
    if (this.#closed) return await Promise.resolve();
    this.#closed = true;
    this.#connection.release(this.#inUse);
  }

  /** Runs `read` on a consistent snapshot. */
  protected async read<T>(read: () => T): Promise<T> {
    this.#enter();
    return await this.#connection.read(read);
  }

  /** Runs `write` in a transaction shared with other writes of this turn. */
  protected async write<T>(write: () => T): Promise<T> {
    this.#enter();
    return await this.#connection.write(write);
  }

  #enter(): void {
    if (this.#closed) throw new TaskcastError("STORE_UNAVAILABLE", "The SQLite store is closed");
    if (this.#inUse) return;
    this.#inUse = true;
    this.#connection.use();
  }

  /** Deletes the rows of a task. */
  protected deleteRows(tables: readonly string[], task: number): void {
    this.sql.run(
      `DELETE FROM {events} WHERE event >= ${eventKey("?", "0")} ` +
        `AND event <= ${lastEventKey("?")}`,
      task,
      task,
    );
    for (const table of tables) this.sql.run(`DELETE FROM {${table}} WHERE task = ?`, task);
  }
}
