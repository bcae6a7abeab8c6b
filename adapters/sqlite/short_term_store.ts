import type {
  Commit,
  CommitResult,
  DueWork,
  LeaseRenewal,
  Leases,
  NoteChange,
  RevisionExpectation,
  ScheduledTask,
  ShortTermStore,
  TaskRevision,
  Tombstone,
  Trim,
  Work,
} from "@taskcast/core/adapter";
import { isAtRevision } from "@taskcast/core/adapter";
import { closeId, openId } from "./closed_ids.ts";
import { applyCommit } from "./commit.ts";
import type { Connection } from "./connection/connection.ts";
import { AppendCache } from "./append_cache.ts";
import { forgetSent } from "./rows/producers.ts";
import { TASK_TABLES } from "./schema.ts";
import { setLeaseDue } from "./rows/due_times.ts";
import type { TaskRow } from "./rows/tables.ts";
import { SELECT_TASK } from "./rows/tables.ts";
import { SqliteTaskStore } from "./task_store.ts";
import { setWorkTime } from "./rows/work_times.ts";

/** Tasks and logs in one SQLite file. */
export class SqliteShortTermStore extends SqliteTaskStore implements ShortTermStore {
  readonly durable: boolean;
  readonly leases: Leases;
  readonly #logs: AppendCache;

  constructor(connection: Connection) {
    super(connection, "");
    this.durable = connection.isFile;
    const logs = new AppendCache(this.sql);
    connection.watch.onChange(() => logs.forgetAll());
    this.#logs = logs;
    this.leases = {
      renew: async (renewals) =>
        await this.write(() => renewals.map((renewal) => this.#renew(renewal))),
    };
  }

  async commit(commit: Commit): Promise<CommitResult> {
    return await this.write(() => applyCommit(this.sql, this.#logs, commit));
  }

  async deleteTask(
    taskId: string,
    at?: RevisionExpectation,
    closing?: Tombstone,
  ): Promise<boolean> {
    return await this.write(() => {
      if (closing === undefined) openId(this.sql, taskId, at);
      const row = this.sql.one<TaskRow>(SELECT_TASK, taskId);
      if (row === undefined || !isAtRevision(row, at)) return false;
      this.#logs.forget(taskId);
      this.deleteRows(TASK_TABLES, row.task);
      if (closing !== undefined) {
        closeId(this.sql, { taskId, incarnation: row.incarnation }, closing);
      }
      return true;
    });
  }

  async due(nowMs: number, limit: number): Promise<DueWork> {
    return await this.read(() => this.reader.due(nowMs, limit));
  }

  async archived(
    taskId: string,
    at: TaskRevision,
    { againAtMs, releaseAtMs }: { againAtMs: number; releaseAtMs?: number },
  ): Promise<boolean> {
    return await this.write(() => {
      const row = this.sql.one<TaskRow>(SELECT_TASK, taskId);
      if (row === undefined) return false;
      const isThere = isAtRevision(row, at);
      setWorkTime(this.sql, "archive", row.task, isThere ? undefined : againAtMs);
      if (isThere && releaseAtMs !== undefined) {
        setWorkTime(this.sql, "release", row.task, releaseAtMs);
      }
      return isThere;
    });
  }

  async scheduled(
    work: Work,
    { limit, after = { atMs: -Infinity, taskId: "" } }: { limit: number; after?: ScheduledTask },
  ): Promise<ScheduledTask[]> {
    return await this.read(() =>
      this.sql.all<ScheduledTask>(
        "SELECT t.id AS taskId, w.at_ms AS atMs FROM {archive_work} w JOIN {tasks} t USING (task) " +
          "WHERE w.work = ? AND (w.at_ms, t.id) > (?, ?) ORDER BY w.at_ms, t.id LIMIT ?",
        work,
        after.atMs,
        after.taskId,
        limit,
      ).map((row) => ({ ...row }))
    );
  }

  async readNotes(
    taskId: string,
    incarnation: string,
  ): Promise<Record<string, string> | undefined> {
    return await this.read(() => {
      const row = this.sql.one<TaskRow>(SELECT_TASK, taskId);
      if (row?.incarnation !== incarnation) return undefined;
      const notes = this.sql.all<{ name: string; text: string }>(
        "SELECT name, text FROM {notes} WHERE task = ?",
        row.task,
      );
      return Object.fromEntries(notes.map(({ name, text }) => [name, text]));
    });
  }

  async writeNote(
    taskId: string,
    incarnation: string,
    name: string,
    { from, to }: NoteChange,
  ): Promise<boolean> {
    return await this.write(() => {
      const row = this.sql.one<TaskRow>(SELECT_TASK, taskId);
      if (row?.incarnation !== incarnation) return false;
      const { task } = row;
      const where = "FROM {notes} WHERE task = ? AND name = ?";
      const now = this.sql.one<{ text: string }>(`SELECT text ${where}`, task, name);
      if (now?.text !== from) return false;
      if (to === undefined) this.sql.run(`DELETE ${where}`, task, name);
      else {
        this.sql.run(
          "INSERT OR REPLACE INTO {notes} (task, name, text) VALUES (?, ?, ?)",
          task,
          name,
          to,
        );
      }
      return true;
    });
  }

  #renew({ taskId, lease, untilMs }: LeaseRenewal): boolean {
    const log = this.#logs.of(taskId);
    if (log === undefined || log.lease !== lease) return false;
    setLeaseDue(this.sql, log.row.task, untilMs);
    return true;
  }

  // The archive does not store producers.
  protected override trim(taskId: string, row: TaskRow, trim: Trim): number[] {
    this.#logs.forget(taskId);
    const removed = super.trim(taskId, row, trim);
    forgetSent(this.sql, row.task, removed);
    return removed;
  }
}
