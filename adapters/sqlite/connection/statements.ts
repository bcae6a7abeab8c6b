import type { SqliteDatabase, SqliteRow, SqliteStatement, SqliteValue } from "./driver.ts";

/**
 * Prepares each statement once. `{events}` in a statement is the table `events` with the prefix.
 */
export class Statements {
  readonly #database: SqliteDatabase;
  readonly #prefix: string;
  readonly #prepared = new Map<string, SqliteStatement>();

  constructor(database: SqliteDatabase, prefix = "") {
    this.#database = database;
    this.#prefix = prefix;
  }

  run(sql: string, ...values: SqliteValue[]): void {
    this.#of(sql).run(...values);
  }

  /** Returns the first row, if any. */
  one<Row extends object = SqliteRow>(sql: string, ...values: SqliteValue[]): Row | undefined {
    return this.#of(sql).get(...values) as Row | undefined;
  }

  all<Row extends object = SqliteRow>(sql: string, ...values: SqliteValue[]): Row[] {
    return this.#of(sql).all(...values) as Row[];
  }

  #of(sql: string): SqliteStatement {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql.replace(/\{([a-z_]+)\}/g, `${this.#prefix}$1`));
      this.#prepared.set(sql, statement);
    }
    return statement;
  }
}
