import type postgres from "postgres";
import type { Session } from "./connection/transaction.ts";
import { inTransaction } from "./connection/transaction.ts";

// Every released migration in order. New ones are appended; released ones never change.
//
// - `task` numbers an incarnation, so that rows of a deleted task are never taken for another's.
// - A class is an event kind: a type and a level, separate for standalone events (`plain`). Each
//   event stores its rank within its class (`place`), so counting the matching events before an
//   index is one lookup per class.
// - The text of an accumulate series is stored once: an event that only appends to it stores its
//   slice of the text (`part`, `at`, `len`) and no data of its own. Texts are stored as they stand
//   between the quotes of JSON, so any text can be stored and a character may be split.
// - JSON is `json` and not `jsonb`, which refuses \u0000 and lone surrogates and loses the notation
//   of numbers and the order of fields: hot and cold reads must be identical.

/** Returns the tables of a store. */
function logTables(prefix: string): string {
  return `
    CREATE SEQUENCE ${prefix}task_numbers;
    CREATE TABLE ${prefix}tasks (
      task bigint PRIMARY KEY,
      id text COLLATE "C" NOT NULL UNIQUE,
      incarnation text NOT NULL,
      version integer NOT NULL,
      status text NOT NULL,
      type text NOT NULL,
      tags text[] NOT NULL,
      created_at bigint NOT NULL,
      updated_at bigint NOT NULL,
      completed_at bigint,
      record json NOT NULL,
      length integer NOT NULL,
      bytes bigint NOT NULL,
      time bigint NOT NULL,
      classes integer NOT NULL
    ) WITH (fillfactor = 80);
    CREATE INDEX ${prefix}tasks_by_age ON ${prefix}tasks (created_at, id);
    CREATE INDEX ${prefix}tasks_by_status ON ${prefix}tasks (status, created_at, id);
    CREATE INDEX ${prefix}tasks_by_tag ON ${prefix}tasks USING gin (tags);
    CREATE TABLE ${prefix}classes (
      task bigint NOT NULL,
      class integer NOT NULL,
      type text NOT NULL,
      level text NOT NULL,
      plain boolean NOT NULL,
      count integer NOT NULL,
      PRIMARY KEY (task, class)
    ) WITH (fillfactor = 80);
    CREATE TABLE ${prefix}events (
      task bigint NOT NULL,
      idx integer NOT NULL,
      class integer NOT NULL,
      place integer NOT NULL,
      time bigint NOT NULL,
      entropy bigint NOT NULL,
      part integer,
      at integer,
      len integer,
      series text,
      data json,
      PRIMARY KEY (task, idx)
    );
    CREATE INDEX ${prefix}events_by_class ON ${prefix}events (task, class, idx, place);
    CREATE TABLE ${prefix}series (
      task bigint NOT NULL,
      series text NOT NULL,
      mode text NOT NULL,
      acc_field text,
      newest integer NOT NULL,
      is_text boolean NOT NULL,
      first_part integer NOT NULL,
      parts integer NOT NULL,
      part_length integer NOT NULL,
      classes json NOT NULL,
      PRIMARY KEY (task, series)
    ) WITH (fillfactor = 80);
    CREATE TABLE ${prefix}series_parts (
      task bigint NOT NULL,
      series text NOT NULL,
      part integer NOT NULL,
      text text NOT NULL,
      PRIMARY KEY (task, series, part)
    ) WITH (fillfactor = 80);
  `;
}

/**
 * Returns the changes for trimming: how far and how many events were removed, the ranks of removed
 * events that counting still needs, and the removed events that folds still need.
 */
function trimTables(prefix: string): string {
  return `
    ALTER TABLE ${prefix}tasks ADD COLUMN trimmed_through integer,
      ADD COLUMN trimmed integer NOT NULL DEFAULT 0;
    ALTER TABLE ${prefix}classes ADD COLUMN trimmed integer NOT NULL DEFAULT 0;
    CREATE TABLE ${prefix}trimmed (
      task bigint NOT NULL,
      idx integer NOT NULL,
      class integer NOT NULL,
      place integer NOT NULL,
      PRIMARY KEY (task, idx)
    );
    CREATE INDEX ${prefix}trimmed_by_class ON ${prefix}trimmed (task, class, idx, place);
    CREATE TABLE ${prefix}folded_events (LIKE ${prefix}events, PRIMARY KEY (task, idx));
  `;
}

const MIGRATIONS: readonly string[] = [
  `
  ${logTables("taskcast_")}
  CREATE TABLE taskcast_deletions (
    incarnation text PRIMARY KEY,
    at_ms bigint NOT NULL
  );
  CREATE INDEX taskcast_deletions_by_time ON taskcast_deletions (at_ms);

  ${logTables("taskcast_live_")}
  CREATE TABLE taskcast_live_producers (
    task bigint NOT NULL,
    producer text NOT NULL,
    epoch bigint NOT NULL,
    next_seq bigint NOT NULL,
    PRIMARY KEY (task, producer)
  ) WITH (fillfactor = 80);
  CREATE TABLE taskcast_live_producer_events (
    task bigint NOT NULL,
    producer text NOT NULL,
    seq bigint NOT NULL,
    idx integer NOT NULL,
    PRIMARY KEY (task, producer, seq)
  );
  CREATE TABLE taskcast_live_due (
    task bigint NOT NULL,
    kind text NOT NULL,
    at_ms bigint NOT NULL,
    PRIMARY KEY (task, kind)
  );
  CREATE INDEX taskcast_live_due_by_time ON taskcast_live_due (kind, at_ms);
  `,
  `
  ALTER TABLE taskcast_tasks ADD COLUMN hooked boolean NOT NULL DEFAULT false;
  ALTER TABLE taskcast_live_tasks ADD COLUMN hooked boolean NOT NULL DEFAULT false;
  CREATE TABLE taskcast_live_notes (
    task bigint NOT NULL,
    name text NOT NULL,
    text text NOT NULL,
    PRIMARY KEY (task, name)
  );
  `,
  `
  ${trimTables("taskcast_")}
  ${trimTables("taskcast_live_")}
  CREATE TABLE taskcast_due (
    task bigint NOT NULL,
    kind text NOT NULL,
    at_ms bigint NOT NULL,
    PRIMARY KEY (task, kind)
  );
  CREATE INDEX taskcast_due_by_time ON taskcast_due (kind, at_ms);
  `,
  `
  CREATE TABLE taskcast_live_closed_ids (
    id text COLLATE "C" PRIMARY KEY,
    incarnation text NOT NULL,
    until_ms bigint NOT NULL
  );
  CREATE INDEX taskcast_live_closed_ids_by_time ON taskcast_live_closed_ids (until_ms);
  `,
  ["taskcast_", "taskcast_live_"].map((prefix) => `
  ALTER TABLE ${prefix}tasks ADD COLUMN priority smallint NOT NULL DEFAULT 0;
  CREATE INDEX ${prefix}tasks_by_priority ON ${prefix}tasks (priority, created_at, id)
    WHERE priority <> 0;
  `).join(""),
];

/** The current version of the tables. */
export const SCHEMA_VERSION: number = MIGRATIONS.length;

const SELECT_VERSION = "SELECT coalesce(max(version), 0) AS version FROM taskcast_migrations";

/** The advisory lock for migrations; any number no one else uses. */
const LOCK = 7_461_736_313;

/** Table prefixes of the archive and of the short-term store. */
export const PREFIXES = { archive: "taskcast_", live: "taskcast_live_" } as const;

/**
 * Brings the tables up to date, one process at a time. Up-to-date tables need no lock, and only the
 * right to read their version.
 *
 * @returns The versions before and after.
 * @throws {Error} If a newer version made the tables, or the role may not make them.
 */
export async function migrate(session: Session): Promise<{ from: number; to: number }> {
  const known = await versionOf(session.sql);
  if (known === SCHEMA_VERSION) return { from: known, to: known };
  try {
    return await inTransaction(session, async (run) => {
      await run(`SELECT pg_advisory_xact_lock(${LOCK})`);
      await run("SET LOCAL client_min_messages = warning");
      await run(`CREATE TABLE IF NOT EXISTS taskcast_migrations (
        version integer PRIMARY KEY,
        applied_at timestamptz NOT NULL DEFAULT now()
      )`);
      const [row] = await run<{ version: number }>(SELECT_VERSION);
      const { version } = row!;
      assertKnown(version);
      for (const [i, migration] of MIGRATIONS.entries()) {
        if (i < version) continue;
        await run(migration);
        await run("INSERT INTO taskcast_migrations (version) VALUES ($1)", i + 1);
      }
      return { from: version, to: SCHEMA_VERSION };
    });
  } catch (error) {
    if (!isDenied(error)) throw error;
    throw await behind(session.sql, known, error as Error);
  }
}

/**
 * Requires up-to-date tables, and changes nothing.
 *
 * @throws {Error} If they are not.
 */
export async function assertMigrated(sql: postgres.Sql): Promise<void> {
  const version = await versionOf(sql);
  if (version < SCHEMA_VERSION) throw await behind(sql, version);
}

/** Returns the version of the tables; 0 if there are none. */
async function versionOf(sql: postgres.Sql): Promise<number> {
  const [found] = await sql.unsafe<{ table: string | null }[]>(
    "SELECT to_regclass('taskcast_migrations')::text AS table",
  );
  if (found!.table === null) return 0;
  const [row] = await sql.unsafe<{ version: number }[]>(SELECT_VERSION).catch(async (error) => {
    if (!isDenied(error)) throw error;
    const role = await currentRole(sql);
    throw new Error(
      `The role "${role}" lacks rights: ` +
        `GRANT SELECT ON taskcast_migrations TO ${identifier(role)}`,
    );
  });
  assertKnown(row!.version);
  return row!.version;
}

/** Returns the error for outdated tables that cannot be updated here. */
async function behind(sql: postgres.Sql, version: number, denied?: Error): Promise<Error> {
  const role = await currentRole(sql);
  const hidden = version > 0 ? [] : await sql.unsafe<{ schema: string }[]>(
    "SELECT n.nspname AS schema FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace " +
      "WHERE c.relname = 'taskcast_migrations' AND NOT has_schema_privilege(n.oid, 'USAGE') " +
      "AND n.nspname = ANY (string_to_array(translate(replace(current_setting('search_path'), " +
      "'$user', current_user), '\" ', ''), ',')) LIMIT 1",
  );
  if (hidden.length > 0) {
    const { schema } = hidden[0]!;
    return new Error(
      `The tables in PostgreSQL are in the schema "${schema}", which the role "${role}" may not use: ` +
        `GRANT USAGE ON SCHEMA ${identifier(schema)} TO ${identifier(role)}`,
    );
  }
  const needs = `The tables in PostgreSQL are at version ${version} and this program needs ` +
    `${SCHEMA_VERSION}`;
  return new Error(
    denied === undefined
      ? `${needs}: run "taskcast migrate" first`
      : `${needs}, and the role "${role}" may not change them (${denied.message}): run ` +
        '"taskcast migrate" with a role that may',
  );
}

async function currentRole(sql: postgres.Sql): Promise<string> {
  const [row] = await sql.unsafe<{ role: string }[]>("SELECT current_user AS role");
  return row!.role;
}

/** Returns whether a right is missing, or the role can use no schema. */
function isDenied(error: unknown): boolean {
  return /^(42501|3F000)$/.test((error as { code?: string }).code ?? "");
}

/** Returns a quoted identifier. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function assertKnown(version: number): void {
  if (version <= SCHEMA_VERSION) return;
  throw new Error(
    `The tables in PostgreSQL have version ${version}, and this program knows ${SCHEMA_VERSION}: ` +
      "use the newer program that made them",
  );
}
