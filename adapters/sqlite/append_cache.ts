import { Appender } from "./append.ts";
import type { Statements } from "./connection/statements.ts";
import type { TaskRow } from "./rows/tables.ts";
import { SELECT_TASK } from "./rows/tables.ts";

/** Maximum number of cached logs. */
const MAX_LOGS = 1_000;

/** Maximum number of classes and series of a cached log. */
const MAX_ENTRIES = 100;

/**
 * A cache of the ends of recently written logs, so that further commits read nothing first. Other
 * changes of a task or its log must call {@linkcode AppendCache.forget}.
 */
export class AppendCache {
  readonly #sql: Statements;
  readonly #logs = new Map<string, Appender>();

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** Returns the log of a task, within a transaction; `undefined` if there is no such task. */
  of(taskId: string): Appender | undefined {
    const known = this.#logs.get(taskId);
    if (known !== undefined) return known;
    const row = this.#sql.one<TaskRow>(SELECT_TASK, taskId);
    return row && new Appender(this.#sql, row);
  }

  /** Caches a saved log. */
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

  // Evicts the oldest entry regardless of use: a miss costs only two statements.
  #forgetOldest(): void {
    for (const taskId of this.#logs.keys()) return this.forget(taskId);
  }
}
