import type {
  ArchivePart,
  ArchivePosition,
  LongTermStore,
  TaskRecord,
} from "@taskcast/core/adapter";
import { draftOfStored, TOMBSTONE_MS } from "@taskcast/core/adapter";
import { Appender } from "./append.ts";
import type { Connection } from "./connection/connection.ts";
import { ARCHIVE_PREFIX, LOG_TABLES } from "./schema.ts";
import type { TaskRow } from "./rows/tables.ts";
import { eventKey, SELECT_TASK } from "./rows/tables.ts";
import { insertTask, moveTask, updateRecord } from "./rows/task_rows.ts";
import { SqliteTaskStore } from "./task_store.ts";
import { scheduleOnce } from "./rows/work_times.ts";

/** The archive in one SQLite file. */
export class SqliteLongTermStore extends SqliteTaskStore implements LongTermStore {
  constructor(connection: Connection) {
    super(connection, ARCHIVE_PREFIX);
  }

  async positions(
    tasks: readonly { taskId: string; incarnation: string }[],
  ): Promise<ArchivePosition[]> {
    return await this.read(() =>
      tasks.map(({ taskId, incarnation }) => this.#positionOf(taskId, incarnation))
    );
  }

  async archive(parts: readonly ArchivePart[]): Promise<ArchivePosition[]> {
    return await this.write(() => parts.map((part) => this.#take(part)));
  }

  async moveTask(taskId: string, incarnation: string, record: TaskRecord): Promise<boolean> {
    return await this.write(() => {
      const row = this.sql.one<TaskRow>(SELECT_TASK, taskId);
      if (row?.incarnation !== incarnation) return false;
      moveTask(this.sql, row.task, record);
      return true;
    });
  }

  async deleteTask(taskId: string, incarnation: string): Promise<boolean> {
    return await this.write(() => {
      const nowMs = Date.now();
      this.sql.run("DELETE FROM {deletions} WHERE at_ms < ?", nowMs - TOMBSTONE_MS);
      this.sql.run(
        "INSERT OR REPLACE INTO {deletions} (incarnation, at_ms) VALUES (?, ?)",
        incarnation,
        nowMs,
      );
      const row = this.sql.one<TaskRow>(SELECT_TASK, taskId);
      if (row?.incarnation !== incarnation) return false;
      this.deleteRows(LOG_TABLES, row.task);
      return true;
    });
  }

  #take({ record, events, cleanAtMs }: ArchivePart): ArchivePosition {
    const { task, incarnation, version } = record;
    if (this.#isDeleted(incarnation)) return { deleted: true };
    let row = this.sql.one<DatedRow>(SELECT_DATED, task.id);
    if (row !== undefined && row.incarnation !== incarnation) {
      if (record.unconfirmed) return otherOf(row);
      if (row.created_at > task.createdAt) return { deleted: true };
      this.deleteRows(LOG_TABLES, row.task);
      row = undefined;
    }
    const kept: TaskRow = row ?? insertTask(this.sql, record);
    if (version > kept.version) updateRecord(this.sql, kept.task, record);
    const appender = new Appender(this.sql, kept);
    for (const event of events) {
      if (event.index === kept.length) appender.append(draftOfStored(event), event.timestamp);
    }
    appender.save();
    if (cleanAtMs !== undefined) scheduleOnce(this.sql, "clean", kept.task, cleanAtMs);
    return {
      version: Math.max(version, kept.version),
      length: kept.length,
      ...this.#newestOf(kept),
    };
  }

  #positionOf(taskId: string, incarnation: string): ArchivePosition {
    if (this.#isDeleted(incarnation)) return { deleted: true };
    const row = this.sql.one<DatedRow>(SELECT_DATED, taskId);
    if (row === undefined) return { version: 0, length: 0 };
    if (row.incarnation !== incarnation) return otherOf(row);
    return { version: row.version, length: row.length, ...this.#newestOf(row) };
  }

  #newestOf({ task, length }: TaskRow): { entropy?: number } {
    const sql = `SELECT entropy FROM {events} WHERE event = ${eventKey("?", "?")}`;
    const row = this.sql.one<{ entropy: number }>(sql, task, length - 1);
    return row === undefined ? {} : { entropy: row.entropy };
  }

  #isDeleted(incarnation: string): boolean {
    const sql = "SELECT 1 FROM {deletions} WHERE incarnation = ?";
    return this.sql.one(sql, incarnation) !== undefined;
  }
}

type DatedRow = TaskRow & { created_at: number };

const SELECT_DATED = SELECT_TASK.replace("SELECT ", "SELECT t.created_at, ");

/** Returns the position of an incarnation whose id another one has taken. */
function otherOf({ incarnation, created_at: createdAt }: DatedRow): ArchivePosition {
  return { version: 0, length: 0, other: { incarnation, createdAt } };
}
