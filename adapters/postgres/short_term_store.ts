import type {
  ArchiveWork,
  ClaimedWork,
  Commit,
  CommitResult,
  DueKind,
  DueWork,
  LogMark,
  ShortTermStore,
  TaskMark,
} from "@taskcast/core";
import { DUE_KINDS, isAtMark } from "@taskcast/core";
import { TaskcastError } from "@taskcast/core/protocol";
import { Changes } from "./changes.ts";
import type { Decision } from "./commit.ts";
import { decide, resultOf } from "./commit.ts";
import type { Database, Run } from "./database.ts";
import { deleteRows, LIVE_TABLES } from "./delete_rows.ts";
import { Group } from "./group.ts";
import { load, lock } from "./load.ts";
import { PostgresTaskReader } from "./reader.ts";

/** Tasks and logs in PostgreSQL. */
export class PostgresShortTermStore extends PostgresTaskReader implements ShortTermStore {
  readonly #group: Group<Commit, Decision>;
  readonly #onClose: () => Promise<void>;

  constructor(database: Database, onClose: () => Promise<void>) {
    super(database);
    const { timeoutMs, maxPending } = database;
    this.#group = new Group({
      carryOut: (commits) => this.#carryOut(commits),
      sizeOf: ({ events }) => events.reduce((sum, { data }) => sum + data.length, 0),
      timeoutMs,
      maxPending,
    });
    this.#onClose = onClose;
  }

  async commit(commit: Commit): Promise<CommitResult> {
    const decision = await this.#group.add(commit);
    const repeats = decision.ok ? decision.events.filter((event) => typeof event === "number") : [];
    const read = await Promise.all([...new Set(repeats)].map(async (index) => {
      const page = await this.readLog(commit.taskId, { after: index - 1, limit: 1 });
      const event = page?.events[0];
      if (event?.index !== index) {
        throw new TaskcastError("STORE_UNAVAILABLE", "The task was deleted meanwhile");
      }
      return [index, event] as const;
    }));
    const events = new Map(read);
    return resultOf(decision, (index) => events.get(index)!);
  }

  async deleteTask(taskId: string, at?: TaskMark): Promise<boolean> {
    return await this.database.transaction(async (run) => {
      const row = await lockedRow(run, taskId);
      if (row === undefined || (at !== undefined && !isAtMark(row, at))) return false;
      await deleteRows(run, LIVE_TABLES, [row.task]);
      return true;
    });
  }

  async due(nowMs: number, limit: number): Promise<DueWork> {
    const ofKind = (kind: DueKind) =>
      `(SELECT kind, task, at_ms FROM {due} WHERE kind = '${kind}' ORDER BY at_ms LIMIT $1::int)`;
    const rows = await this.database.run<{ kind: DueKind; taskId: string; atMs: number }>(
      'SELECT d.kind, t.id AS "taskId", d.at_ms::float8 AS "atMs" ' +
        `FROM (${DUE_KINDS.map(ofKind).join(" UNION ALL ")}) d JOIN {tasks} t USING (task) ` +
        "ORDER BY d.at_ms, t.id LIMIT $1::int",
      limit + 1,
    );
    const entries = rows.filter(({ atMs }) => atMs <= nowMs).slice(0, limit);
    const next = rows[entries.length];
    return next === undefined ? { entries } : { entries, nextAtMs: next.atMs };
  }

  async claim(
    work: ArchiveWork,
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
    const { claimed, next } = row!;
    return {
      taskIds: claimed?.map(([id]) => id) ?? [],
      ...(claimed !== null && { oldestAtMs: claimed[0]![1] }),
      ...(next !== null && { nextAtMs: next }),
    };
  }

  async archived(
    taskId: string,
    at: LogMark,
    { againAtMs, releaseAtMs }: { againAtMs: number; releaseAtMs?: number },
  ): Promise<boolean> {
    return await this.database.transaction(async (run) => {
      const row = await lockedRow(run, taskId);
      if (row === undefined) return false;
      const isThere = isAtMark(row, at);
      const mark = (work: ArchiveWork, atMs: number) =>
        run(
          "INSERT INTO {due} (task, kind, at_ms) VALUES ($1::bigint, $2, $3::bigint) " +
            "ON CONFLICT (task, kind) DO UPDATE SET at_ms = excluded.at_ms",
          row.task,
          work,
          atMs,
        );
      if (!isThere) await mark("archive", againAtMs);
      else {
        await run("DELETE FROM {due} WHERE task = $1::bigint AND kind = 'archive'", row.task);
        if (releaseAtMs !== undefined) await mark("release", releaseAtMs);
      }
      return isThere;
    });
  }

  async check(): Promise<void> {
    await this.database.run("SELECT 1");
  }

  async close(): Promise<void> {
    await this.#onClose();
  }

  async #carryOut(commits: readonly Commit[]): Promise<Decision[]> {
    return await this.database.transaction(async (run) => {
      const changes = new Changes();
      const newTasks = commits.filter(({ expect }) => expect === "absent").length;
      const { tasks, numbers } = await load(run, changes, commits, { newTasks, producers: true });
      let created = 0;
      const decisions = commits.map((commit) => {
        const number = commit.expect === "absent" ? numbers[created++]! : 0;
        return decide(tasks, changes, commit, number);
      });
      await changes.write(run);
      return decisions;
    });
  }
}

async function lockedRow(
  run: Run,
  taskId: string,
): Promise<LogMark & { task: number } | undefined> {
  const [, rows] = await Promise.all([
    lock(run, [taskId]),
    run<LogMark & { task: number }>(
      "SELECT task::float8, incarnation, version, length FROM {tasks} WHERE id = $1",
      taskId,
    ),
  ]);
  return rows[0];
}
