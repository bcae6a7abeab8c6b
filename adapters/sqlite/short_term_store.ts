import type {
  ArchiveWork,
  ClaimedWork,
  Commit,
  CommitResult,
  DueWork,
  LogMark,
  ShortTermStore,
  TaskMark,
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
    work: ArchiveWork,
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

  #mark(work: ArchiveWork, task: number, atMs: number | undefined): void {
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
