import type {
  ClaimedWork,
  LogTrimmer,
  RevisionExpectation,
  Trim,
  Work,
  WorkQueue,
} from "@taskcast/core/adapter";
import { isAtRevision } from "@taskcast/core/adapter";
import type { TaskRow } from "./rows/tables.ts";
import { SELECT_TASK } from "./rows/tables.ts";
import { SqliteTaskReader } from "./task_reader.ts";
import { trimEvents } from "./trim.ts";
import { claimable, setWorkTime } from "./rows/work_times.ts";

/** Operations of all stores in a SQLite file besides reads: schedule and trimming. */
export class SqliteTaskStore extends SqliteTaskReader
  implements LogTrimmer, Pick<WorkQueue, "claim" | "schedule"> {
  async trimLog(taskId: string, incarnation: string, trim: Trim): Promise<number> {
    return await this.write(() => {
      const row = this.sql.one<TaskRow>(SELECT_TASK, taskId);
      return row?.incarnation === incarnation ? this.trim(taskId, row, trim).length : 0;
    });
  }

  async claim(
    work: Work,
    { nowMs, untilMs, limit }: { nowMs: number; untilMs: number; limit: number },
  ): Promise<ClaimedWork> {
    const look = () => claimable(this.sql, work, { nowMs, limit });
    // Reading first saves a write, since mostly there is nothing to claim.
    const seen = await this.read(look);
    if (seen.tasks.length === 0) return seen.answer;
    return await this.write(() => {
      const { tasks, answer } = look();
      for (const task of tasks) setWorkTime(this.sql, work, task, untilMs);
      return answer;
    });
  }

  async schedule(
    taskId: string,
    work: Work,
    atMs: number | undefined,
    expected?: RevisionExpectation,
  ): Promise<boolean> {
    return await this.write(() => {
      const row = this.sql.one<TaskRow>(SELECT_TASK, taskId);
      if (row === undefined || !isAtRevision(row, expected)) return false;
      setWorkTime(this.sql, work, row.task, atMs);
      return true;
    });
  }

  /** Trims the log of a task, within a transaction. Returns the indexes of removed events. */
  protected trim(_taskId: string, row: TaskRow, trim: Trim): number[] {
    return trimEvents(this.sql, row, trim);
  }
}
