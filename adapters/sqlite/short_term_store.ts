import type {
  Commit,
  CommitResult,
  DueWork,
  ListPage,
  ListQuery,
  LogPage,
  LogQuery,
  LogView,
  ShortTermStore,
  TaskHead,
} from "@taskcast/core";
import type { EventFilter } from "@taskcast/core/protocol";
import { TaskcastError } from "@taskcast/core/protocol";
import { carryOut } from "./commit.ts";
import type { SqliteDatabase } from "./driver.ts";
import { GroupCommit } from "./group_commit.ts";
import { Reader } from "./reader.ts";
import { TASK_TABLES } from "./schema.ts";
import { Statements } from "./statements.ts";

/** Tasks and logs in one SQLite file. */
export class SqliteShortTermStore implements ShortTermStore {
  readonly #database: SqliteDatabase;
  readonly #sql: Statements;
  readonly #reader: Reader;
  readonly #writes: GroupCommit;
  #closed = false;

  /** @param database Open, and up to date; see `migrate`. */
  constructor(database: SqliteDatabase) {
    this.#database = database;
    this.#sql = new Statements(database);
    this.#reader = new Reader(this.#sql);
    this.#writes = new GroupCommit(database);
  }

  async commit(commit: Commit): Promise<CommitResult> {
    return await this.#write(() => carryOut(this.#sql, commit));
  }

  async getTask(taskId: string): Promise<TaskHead | undefined> {
    return await this.#read(() => this.#reader.task(taskId));
  }

  async listTasks(query: ListQuery): Promise<ListPage> {
    return await this.#read(() => this.#reader.list(query));
  }

  async deleteTask(taskId: string): Promise<boolean> {
    return await this.#write(() => {
      const row = this.#sql.one<{ task: number }>("SELECT task FROM tasks WHERE id = ?", taskId);
      if (row === undefined) return false;
      for (const table of TASK_TABLES) {
        this.#sql.run(`DELETE FROM ${table} WHERE task = ?`, row.task);
      }
      return true;
    });
  }

  async readLog(taskId: string, query: LogQuery): Promise<LogPage | undefined> {
    return await this.#read(() => this.#reader.log(taskId, query));
  }

  async readView(taskId: string, { after }: { after: number }): Promise<LogView | undefined> {
    return await this.#read(() => this.#reader.view(taskId, after));
  }

  async countMatches(
    taskId: string,
    filter: EventFilter,
    indexes: readonly number[],
  ): Promise<number[]> {
    return await this.#read(() => this.#reader.countMatches(taskId, filter, indexes));
  }

  async due(nowMs: number, limit: number): Promise<DueWork> {
    return await this.#read(() => this.#reader.due(nowMs, limit));
  }

  async close(): Promise<void> {
    if (this.#closed) return await Promise.resolve();
    this.#writes.flush();
    this.#closed = true;
    this.#database.close();
  }

  async #write<T>(write: () => T): Promise<T> {
    this.#assertOpen();
    try {
      return await this.#writes.write(write);
    } catch (error) {
      throw unavailable(error);
    }
  }

  // Within a transaction, since another process may write between two statements; and in one turn,
  // since writes of this process use the same connection.
  async #read<T>(read: () => T): Promise<T> {
    this.#assertOpen();
    return await Promise.resolve(this.#readNow(read));
  }

  #readNow<T>(read: () => T): T {
    try {
      this.#database.exec("BEGIN");
      try {
        return read();
      } finally {
        this.#database.exec("COMMIT");
      }
    } catch (error) {
      throw unavailable(error);
    }
  }

  #assertOpen(): void {
    if (this.#closed) throw new TaskcastError("STORE_UNAVAILABLE", "The SQLite file is closed");
  }
}

function unavailable(error: unknown): TaskcastError {
  if (error instanceof TaskcastError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const isFull = /disk is full/i.test(message);
  return isFull
    ? new TaskcastError("STORE_FULL", "The disk of the SQLite file is full", { cause: error })
    : new TaskcastError("STORE_UNAVAILABLE", "The SQLite file cannot be used", { cause: error });
}
