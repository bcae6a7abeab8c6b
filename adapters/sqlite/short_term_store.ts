import type {
  ClaimedWork,
  Commit,
  CommitResult,
  DueWork,
  LogMark,
  MarkedTask,
  NoteChange,
  ShortTermStore,
  TaskMark,
  Work,
} from "@taskcast/core";
import { isAtMark } from "@taskcast/core";
import { carryOut } from "./commit.ts";
import type { Connection } from "./connection.ts";
import { TASK_TABLES } from "./schema.ts";
import type { TaskRow } from "./tables.ts";
import { SELECT_TASK } from "./tables.ts";
import { SqliteTaskReader } from "./task_reader.ts";

/** Tasks and logs in one SQLite file. */
export class SqliteShortTermStore extends SqliteTaskReader implements ShortTermStore {
  constructor(connection: Connection) {
    super(connection, "");
  }

  async commit(commit: Commit): Promise<CommitResult> {
    return await this.write(() => carryOut(this.sql, commit));
  }

  async deleteTask(taskId: string, at?: TaskMark): Promise<boolean> {
    return await this.write(() => {
      const row = this.sql.one<TaskRow>(SELECT_TASK, taskId);
      if (row === undefined || (at !== undefined && !isAtMark(row, at))) return false;
      this.deleteRows(TASK_TABLES, row.task);
      return true;
    });
  }

  async due(nowMs: number, limit: number): Promise<DueWork> {
    return await this.read(() => this.reader.due(nowMs, limit));
  }

  async claim(
    work: Work,
    { nowMs, untilMs, limit }: { nowMs: number; untilMs: number; limit: number },
  ): Promise<ClaimedWork> {
    const waiting = () =>
      this.sql.all<{ task: number; id: string; atMs: number }>(
        "SELECT w.task, t.id, w.at_ms AS atMs FROM {archive_work} w JOIN {tasks} t " +
          "ON t.task = w.task WHERE w.work = ? ORDER BY w.at_ms, w.task LIMIT ?",
        work,
        limit + 1,
      );
    const answer = (rows: ReturnType<typeof waiting>): ClaimedWork => {
      const claimed = rows.filter(({ atMs }) => atMs <= nowMs).slice(0, limit);
      const next = rows[claimed.length];
      return {
        taskIds: claimed.map(({ id }) => id),
        ...(claimed.length > 0 && { oldestAtMs: claimed[0]!.atMs }),
        ...(next && { nextAtMs: next.atMs }),
      };
    };
    // Looking costs no write, and mostly there is nothing.
    const seen = await this.read(() => answer(waiting()));
    if (seen.taskIds.length === 0) return seen;
    return await this.write(() => {
      const rows = waiting();
      for (const { task, atMs } of rows.slice(0, limit)) {
        if (atMs > nowMs) break;
        this.sql.run(
          "UPDATE {archive_work} SET at_ms = ? WHERE work = ? AND task = ?",
          untilMs,
          work,
          task,
        );
      }
      return answer(rows);
    });
  }

  async archived(
    taskId: string,
    at: LogMark,
    { againAtMs, releaseAtMs }: { againAtMs: number; releaseAtMs?: number },
  ): Promise<boolean> {
    return await this.write(() => {
      const row = this.sql.one<TaskRow>(SELECT_TASK, taskId);
      if (row === undefined) return false;
      const isThere = isAtMark(row, at);
      this.#mark("archive", row.task, isThere ? undefined : againAtMs);
      if (isThere && releaseAtMs !== undefined) this.#mark("release", row.task, releaseAtMs);
      return isThere;
    });
  }

  async mark(
    taskId: string,
    work: Work,
    atMs: number | undefined,
    at: TaskMark,
  ): Promise<boolean> {
    return await this.write(() => {
      const row = this.sql.one<TaskRow>(SELECT_TASK, taskId);
      if (row === undefined || !isAtMark(row, at)) return false;
      this.#mark(work, row.task, atMs);
      return true;
    });
  }

  async marked(
    work: Work,
    { limit, after = { atMs: -Infinity, taskId: "" } }: { limit: number; after?: MarkedTask },
  ): Promise<MarkedTask[]> {
    return await this.read(() =>
      this.sql.all<MarkedTask>(
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

  #mark(work: Work, task: number, atMs: number | undefined): void {
    if (atMs === undefined) {
      this.sql.run("DELETE FROM {archive_work} WHERE work = ? AND task = ?", work, task);
    } else {
      this.sql.run(
        "INSERT OR REPLACE INTO {archive_work} (work, task, at_ms) VALUES (?, ?, ?)",
        work,
        task,
        atMs,
      );
    }
  }
}
