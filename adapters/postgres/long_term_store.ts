import type {
  ArchivePart,
  ArchivePosition,
  LongTermStore,
  TaskRecord,
} from "@taskcast/core/adapter";
import { draftOfStored, TOMBSTONE_MS } from "@taskcast/core/adapter";
import { Changes } from "./rows/changes.ts";
import { deleteRows, LOG_TABLES } from "./rows/delete_rows.ts";
import { load, lock } from "./rows/load.ts";
import { TaskState } from "./rows/task_state.ts";
import { PostgresTaskStore } from "./task_store.ts";
import type { Database, Run } from "./connection/database.ts";

interface PositionRow {
  deleted: boolean;
  asked: string;
  incarnation: string | null;
  createdAt: number | null;
  version: number | null;
  length: number | null;
  entropy: number | null;
}

/** The archive in PostgreSQL. */
export class PostgresLongTermStore extends PostgresTaskStore implements LongTermStore {
  readonly #onClose: () => Promise<void>;

  constructor(database: Database, onClose: () => Promise<void>) {
    super(database);
    this.#onClose = onClose;
  }

  async positions(
    tasks: readonly { taskId: string; incarnation: string }[],
  ): Promise<ArchivePosition[]> {
    return await this.#positions(this.database.read.bind(this.database), tasks);
  }

  async #positions(
    run: Run,
    tasks: readonly { taskId: string; incarnation: string }[],
  ): Promise<ArchivePosition[]> {
    const rows = await run<PositionRow>(
      "SELECT d.incarnation IS NOT NULL AS deleted, r.incarnation AS asked, t.incarnation, " +
        't.created_at::float8 AS "createdAt", t.version, t.length, e.entropy::float8 ' +
        "FROM json_to_recordset($1::text::json) " +
        'AS r ("taskId" text, incarnation text, nth int) ' +
        // Looks up each row by its key, as load.ts does.
        "LEFT JOIN LATERAL (SELECT k.incarnation FROM {deletions} k " +
        "WHERE k.incarnation = r.incarnation LIMIT 1) d ON true " +
        "LEFT JOIN LATERAL (SELECT k.task, k.incarnation, k.created_at, k.version, k.length " +
        'FROM {tasks} k WHERE k.id = r."taskId" LIMIT 1) t ON true ' +
        "LEFT JOIN LATERAL (SELECT k.entropy FROM {events} k " +
        "WHERE k.task = t.task AND k.idx = t.length - 1 LIMIT 1) e ON true " +
        "ORDER BY r.nth",
      JSON.stringify(tasks.map((task, nth) => ({ ...task, nth }))),
    );
    return rows.map(({ deleted, asked, incarnation, createdAt, version, length, entropy }) => {
      if (deleted) return { deleted };
      if (incarnation === null || createdAt === null || version === null || length === null) {
        return { version: 0, length: 0 };
      }
      if (incarnation !== asked) return otherOf(incarnation, createdAt);
      return { version, length, ...(entropy !== null && { entropy }) };
    });
  }

  async archive(parts: readonly ArchivePart[]): Promise<ArchivePosition[]> {
    return await this.database.transaction(async (run) => {
      const changes = new Changes();
      const planned = parts.map(({ record, events }) => ({
        taskId: record.task.id,
        events: events.map(draftOfStored),
      }));
      const [{ tasks, numbers }, deleted] = await Promise.all([
        load(run, changes, planned, { newTasks: parts.length }),
        run<{ incarnation: string }>(
          "SELECT incarnation FROM {deletions} WHERE incarnation IN " +
            "(SELECT json_array_elements_text($1::text::json))",
          JSON.stringify(parts.map(({ record }) => record.incarnation)),
        ),
      ]);
      const gone = new Set(deleted.map(({ incarnation }) => incarnation));
      const replaced: number[] = [];
      const states = parts.map(({ record, events, cleanAtMs }, i): TaskState | ArchivePosition => {
        const { incarnation, version, task } = record;
        if (gone.has(incarnation)) return { deleted: true };
        let state = tasks.get(task.id);
        if (state !== undefined && state.row.incarnation !== incarnation) {
          const { incarnation: other, created_at: createdAt } = state.row;
          if (record.unconfirmed) return otherOf(other, createdAt);
          if (createdAt > task.createdAt) return { deleted: true };
          replaced.push(state.row.task);
          state = undefined;
        }
        state ??= TaskState.create(numbers[i]!, record, changes);
        tasks.set(task.id, state);
        if (version > state.row.version) state.replace(record);
        const { row } = state;
        for (const [at, event] of events.entries()) {
          if (event.index !== row.length) continue;
          state.add(planned[i]!.events[at]!, event.timestamp);
        }
        if (cleanAtMs !== undefined) changes.schedule(row.task, "clean", cleanAtMs);
        return state;
      });
      if (replaced.length > 0) await deleteRows(run, LOG_TABLES, replaced);
      const unread = states.filter((state) =>
        state instanceof TaskState && state.position === undefined
      ) as TaskState[];
      const [, read] = await Promise.all([
        changes.write(run),
        unread.length === 0 ? [] : this.#positions(
          run,
          unread.map(({ row: { id, incarnation } }) => ({ taskId: id, incarnation })),
        ),
      ]);
      return states.map((state) =>
        state instanceof TaskState ? state.position ?? read[unread.indexOf(state)]! : state
      );
    });
  }

  async moveTask(taskId: string, incarnation: string, record: TaskRecord): Promise<boolean> {
    return await this.database.transaction(async (run) => {
      const [, rows] = await Promise.all([
        lock(run, [taskId, record.task.id]),
        run(
          "UPDATE {tasks} SET id = $3, tags = (SELECT coalesce(array_agg(DISTINCT tag), '{}') " +
            "FROM json_array_elements_text($4::text::json) AS t (tag)), record = $5::text::json " +
            "WHERE id = $1 AND incarnation = $2 RETURNING 1",
          taskId,
          incarnation,
          record.task.id,
          JSON.stringify(record.task.tags ?? []),
          JSON.stringify(record),
        ),
      ]);
      return rows.length > 0;
    });
  }

  async deleteTask(taskId: string, incarnation: string): Promise<boolean> {
    return await this.database.transaction(async (run) => {
      const nowMs = Date.now();
      const [, , , found] = await Promise.all([
        lock(run, [taskId]),
        run("DELETE FROM {deletions} WHERE at_ms < $1::bigint", nowMs - TOMBSTONE_MS),
        run(
          "INSERT INTO {deletions} (incarnation, at_ms) VALUES ($1, $2::bigint) " +
            "ON CONFLICT (incarnation) DO UPDATE SET at_ms = excluded.at_ms",
          incarnation,
          nowMs,
        ),
        run<{ task: number }>(
          "SELECT task::float8 FROM {tasks} WHERE id = $1 AND incarnation = $2",
          taskId,
          incarnation,
        ),
      ]);
      if (found.length === 0) return false;
      await deleteRows(run, LOG_TABLES, found.map(({ task }) => task));
      return true;
    });
  }

  async close(): Promise<void> {
    await this.#onClose();
  }
}

/** Returns the archive's position in an incarnation whose id another one holds. */
function otherOf(incarnation: string, createdAt: number): ArchivePosition {
  return { version: 0, length: 0, other: { incarnation, createdAt } };
}
