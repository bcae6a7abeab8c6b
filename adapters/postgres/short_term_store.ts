import type {
  Commit,
  CommitResult,
  DueKind,
  DueWork,
  LeaseRenewal,
  Leases,
  NoteChange,
  RevisionExpectation,
  ScheduledTask,
  ShortTermStore,
  TaskRevision,
  Tombstone,
  Work,
} from "@taskcast/core/adapter";
import { DUE_KINDS, isAtRevision } from "@taskcast/core/adapter";
import { TaskcastError } from "@taskcast/core/protocol";
import { Changes } from "./rows/changes.ts";
import { closedAmong, closeId, openId } from "./closed_ids.ts";
import type { Decision } from "./commit.ts";
import { decide, resultOf } from "./commit.ts";
import type { Database } from "./connection/database.ts";
import { deleteRows, LIVE_TABLES } from "./rows/delete_rows.ts";
import { GroupCommit } from "./group_commit.ts";
import { renewLeases } from "./rows/leases.ts";
import { load, lock } from "./rows/load.ts";
import { lockedRow, PostgresTaskStore, setWorkTime } from "./task_store.ts";

/** Tasks and logs in PostgreSQL. */
export class PostgresShortTermStore extends PostgresTaskStore implements ShortTermStore {
  readonly durable = true;
  readonly leases: Leases;
  readonly #group: GroupCommit<Commit, Decision>;
  readonly #onClose: () => Promise<void>;

  constructor(database: Database, onClose: () => Promise<void>) {
    super(database);
    const { timeoutMs, maxPending } = database;
    this.#group = new GroupCommit({
      commit: (commits, isWanted) => this.#commitGroup(commits, isWanted),
      sizeOf: ({ events }) => events.reduce((sum, { data }) => sum + data.length, 0),
      timeoutMs,
      maxPending,
    });
    this.#onClose = onClose;
    this.leases = { renew: (renewals) => this.#renew(renewals) };
  }

  async commit(commit: Commit): Promise<CommitResult> {
    const decision = await this.#group.add(commit);
    const repeats = decision.ok ? decision.events.filter((event) => typeof event === "number") : [];
    const read = await Promise.all([...new Set(repeats)].map(async (index) => {
      const page = await this.readLog(commit.taskId, { after: index - 1, limit: 1 });
      const event = page?.events[0];
      if (event?.index !== index) {
        throw new TaskcastError("STORE_UNAVAILABLE", "The event was deleted meanwhile");
      }
      return [index, event] as const;
    }));
    const events = new Map(read);
    return resultOf(decision, (index) => events.get(index)!);
  }

  async deleteTask(
    taskId: string,
    at?: RevisionExpectation,
    closing?: Tombstone,
  ): Promise<boolean> {
    return await this.database.transaction(async (run) => {
      const [row] = await Promise.all([
        lockedRow(run, taskId),
        closing === undefined ? openId(run, taskId, at) : undefined,
      ]);
      if (row === undefined || !isAtRevision(row, at)) return false;
      await Promise.all([
        deleteRows(run, LIVE_TABLES, [row.task]),
        closing && closeId(run, { taskId, incarnation: row.incarnation }, closing),
      ]);
      return true;
    });
  }

  async due(nowMs: number, limit: number): Promise<DueWork> {
    const ofKind = (kind: DueKind) =>
      `(SELECT kind, task, at_ms FROM {due} WHERE kind = '${kind}' ORDER BY at_ms LIMIT $1::int)`;
    const rows = await this.database.read<{ kind: DueKind; taskId: string; atMs: number }>(
      'SELECT d.kind, t.id AS "taskId", d.at_ms::float8 AS "atMs" ' +
        `FROM (${DUE_KINDS.map(ofKind).join(" UNION ALL ")}) d JOIN {tasks} t USING (task) ` +
        "ORDER BY d.at_ms, t.id LIMIT $1::int",
      limit + 1,
    );
    const entries = rows.filter(({ atMs }) => atMs <= nowMs).slice(0, limit);
    const next = rows[entries.length];
    return next === undefined ? { entries } : { entries, nextAtMs: next.atMs };
  }

  async archived(
    taskId: string,
    at: TaskRevision,
    { againAtMs, releaseAtMs }: { againAtMs: number; releaseAtMs?: number },
  ): Promise<boolean> {
    return await this.database.transaction(async (run) => {
      const row = await lockedRow(run, taskId);
      if (row === undefined) return false;
      const isThere = isAtRevision(row, at);
      await setWorkTime(run, row.task, "archive", isThere ? undefined : againAtMs);
      if (isThere && releaseAtMs !== undefined) {
        await setWorkTime(run, row.task, "release", releaseAtMs);
      }
      return isThere;
    });
  }

  async scheduled(
    work: Work,
    { limit, after }: { limit: number; after?: ScheduledTask },
  ): Promise<ScheduledTask[]> {
    const position = after === undefined ? [] : [after.atMs, after.taskId];
    return await this.database.read<ScheduledTask>(
      'SELECT t.id AS "taskId", d.at_ms::float8 AS "atMs" FROM {due} d JOIN {tasks} t USING (task) ' +
        `WHERE d.kind = $1 ${
          after === undefined ? "" : "AND (d.at_ms, t.id) > ($3::bigint, $4)"
        } ` +
        "ORDER BY d.at_ms, t.id LIMIT $2::int",
      work,
      limit,
      ...position,
    );
  }

  async readNotes(
    taskId: string,
    incarnation: string,
  ): Promise<Record<string, string> | undefined> {
    const rows = await this.database.read<{ name: string | null; text: string }>(
      "SELECT n.name, n.text FROM {tasks} t LEFT JOIN {notes} n USING (task) " +
        "WHERE t.id = $1 AND t.incarnation = $2",
      taskId,
      incarnation,
    );
    if (rows.length === 0) return undefined;
    return Object.fromEntries(
      rows.flatMap(({ name, text }) => name === null ? [] : [[name, text]]),
    );
  }

  async writeNote(
    taskId: string,
    incarnation: string,
    name: string,
    { from, to }: NoteChange,
  ): Promise<boolean> {
    return await this.database.transaction(async (run) => {
      const row = await lockedRow(run, taskId);
      if (row?.incarnation !== incarnation) return false;
      const where = "FROM {notes} WHERE task = $1::bigint AND name = $2";
      const [now] = await run<{ text: string }>(`SELECT text ${where}`, row.task, name);
      if (now?.text !== from) return false;
      if (to === undefined) await run(`DELETE ${where}`, row.task, name);
      else {
        await run(
          "INSERT INTO {notes} (task, name, text) VALUES ($1::bigint, $2, $3) " +
            "ON CONFLICT (task, name) DO UPDATE SET text = excluded.text",
          row.task,
          name,
          to,
        );
      }
      return true;
    });
  }

  async close(): Promise<void> {
    await this.#onClose();
  }

  async #renew(renewals: readonly LeaseRenewal[]): Promise<boolean[]> {
    if (renewals.length === 0) return [];
    const ids = [...new Set(renewals.map(({ taskId }) => taskId))];
    return await this.database.transaction(async (run) => {
      const [, renewed] = await Promise.all([lock(run, ids), renewLeases(run, renewals)]);
      return renewed;
    });
  }

  async #commitGroup(
    commits: readonly Commit[],
    isWanted: () => boolean,
  ): Promise<Decision[]> {
    return await this.database.transaction(async (run) => {
      const changes = new Changes();
      const newTasks = commits.filter(({ expect }) => expect === "absent").length;
      const [{ tasks, numbers }, closed] = await Promise.all([
        load(run, changes, commits, { newTasks, producers: true }),
        closedAmong(run, commits),
      ]);
      let created = 0;
      const decisions = commits.map((commit) => {
        const number = commit.expect === "absent" ? numbers[created++]! : 0;
        return decide(tasks, changes, commit, { number, isClosed: closed.has(commit.taskId) });
      });
      await changes.write(run);
      return decisions;
    }, isWanted);
  }
}
