import type {
  ClaimedWork,
  HealthReport,
  RevisionExpectation,
  TaskRevision,
  Trim,
  Work,
} from "@taskcast/core/adapter";
import { isAtRevision } from "@taskcast/core/adapter";
import type { Run } from "./connection/database.ts";
import { answerOf, healthOf } from "./connection/errors.ts";
import { lock } from "./rows/load.ts";
import { PostgresTaskReader } from "./task_reader.ts";
import { TRIM } from "./trim.ts";

/** The operations that the short-term store and the archive share, besides reads. */
export class PostgresTaskStore extends PostgresTaskReader {
  async trimLog(
    taskId: string,
    incarnation: string,
    { indexes, series }: Trim,
  ): Promise<number> {
    return await this.database.transaction(async (run) => {
      const [, rows] = await Promise.all([
        lock(run, [taskId]),
        run<{ removed: number }>(
          TRIM,
          taskId,
          incarnation,
          JSON.stringify(indexes),
          JSON.stringify(series),
        ),
      ]);
      return answerOf(rows[0]).removed;
    });
  }

  async claim(
    work: Work,
    { nowMs, untilMs, limit }: { nowMs: number; untilMs: number; limit: number },
  ): Promise<ClaimedWork> {
    const [row] = await this.database.run<
      { claimed: [id: string, atMs: number][] | null; next: number | null }
    >(
      "WITH mine AS (SELECT task, at_ms FROM {due} WHERE kind = $1 AND at_ms <= $2::bigint " +
        "ORDER BY at_ms LIMIT $4::int FOR UPDATE SKIP LOCKED), " +
        "moved AS (UPDATE {due} d SET at_ms = $3::bigint FROM mine " +
        "WHERE d.task = mine.task AND d.kind = $1 RETURNING d.task) SELECT " +
        "(SELECT json_agg(json_build_array(t.id, mine.at_ms) ORDER BY mine.at_ms, t.id) " +
        "FROM mine JOIN moved USING (task) JOIN {tasks} t USING (task)) AS claimed, " +
        "(SELECT d.at_ms::float8 FROM {due} d WHERE d.kind = $1 " +
        "AND NOT EXISTS (SELECT FROM mine WHERE mine.task = d.task) " +
        "ORDER BY d.at_ms LIMIT 1) AS next",
      work,
      nowMs,
      untilMs,
      limit,
    );
    const { claimed, next } = answerOf(row);
    return {
      taskIds: claimed?.map(([id]) => id) ?? [],
      ...(claimed !== null && { oldestAtMs: claimed[0]![1] }),
      ...(next !== null && { nextAtMs: next }),
    };
  }

  async schedule(
    taskId: string,
    work: Work,
    atMs: number | undefined,
    expected?: RevisionExpectation,
  ): Promise<boolean> {
    return await this.database.transaction(async (run) => {
      const row = await lockedRow(run, taskId);
      if (row === undefined || !isAtRevision(row, expected)) return false;
      await setWorkTime(run, row.task, work, atMs);
      return true;
    });
  }

  /** Writes, because a read would not detect a read-only database. */
  async check(): Promise<HealthReport | void> {
    try {
      await this.database.run(CHECK, Date.now());
    } catch (error) {
      const report = healthOf(error);
      if (report === undefined) throw error;
      return report;
    }
  }
}

/** Schedules work of a kind that never exists for a task that never exists. */
const CHECK = "INSERT INTO {due} (task, kind, at_ms) VALUES (0, 'check', $1::bigint) " +
  "ON CONFLICT (task, kind) DO UPDATE SET at_ms = excluded.at_ms";

/** Schedules a locked task for work, or removes that. */
export async function setWorkTime(
  run: Run,
  task: number,
  work: Work,
  atMs: number | undefined,
): Promise<void> {
  if (atMs === undefined) {
    await run("DELETE FROM {due} WHERE task = $1::bigint AND kind = $2", task, work);
  } else {
    await run(
      "INSERT INTO {due} (task, kind, at_ms) VALUES ($1::bigint, $2, $3::bigint) " +
        "ON CONFLICT (task, kind) DO UPDATE SET at_ms = excluded.at_ms",
      task,
      work,
      atMs,
    );
  }
}

/** Locks a task and returns its row. */
export async function lockedRow(
  run: Run,
  taskId: string,
): Promise<TaskRevision & { task: number } | undefined> {
  const [, rows] = await Promise.all([
    lock(run, [taskId]),
    run<TaskRevision & { task: number }>(
      "SELECT task::float8, incarnation, version, length FROM {tasks} WHERE id = $1",
      taskId,
    ),
  ]);
  return rows[0];
}
