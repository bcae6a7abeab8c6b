import { Appender } from "./append.ts";
import type { Statements } from "./connection/statements.ts";
import type { TaskRow } from "./rows/tables.ts";
import { SELECT_TASK } from "./rows/tables.ts";

/** Logs that are remembered. */
const MAX_LOGS = 1_000;

/** Classes and series above which a log is not. */
const MAX_ENTRIES = 100;

/**
 * Where logs end that were written to lately, so that writing on reads nothing before it. What
 * changes a task or its log in another way has to {@linkcode KnownLogs.forget} it.
 */
export class KnownLogs {
  readonly #sql: Statements;
  readonly #logs = new Map<string, Appender>();

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** The log of a task, within a transaction; `undefined` if there is no such task. */
  of(taskId: string): Appender | undefined {
    const known = this.#logs.get(taskId);
    if (known !== undefined) return known;
    const row = this.#sql.one<TaskRow>(SELECT_TASK, taskId);
    return row && new Appender(this.#sql, row);
  }

  /** Remembers a log, which is saved. */
  keep(taskId: string, log: Appender): void {
    if (log.entries > MAX_ENTRIES) {
      this.#logs.delete(taskId);
    } else if (this.#logs.get(taskId) !== log) {
      if (this.#logs.size >= MAX_LOGS) this.#forgetOldest();
      this.#logs.set(taskId, log);
    }
  }

  forget(taskId: string): void {
    this.#logs.delete(taskId);
  }

  forgetAll(): void {
    this.#logs.clear();
  }

  // The one that was kept first, whenever it was used: one that is forgotten costs two statements.
  #forgetOldest(): void {
    for (const taskId of this.#logs.keys()) return this.forget(taskId);
  }
}
