import type { SqliteDatabase } from "./connection/driver.ts";

// Every migration that was ever released, in order; they are added to, never changed.
//
// - `task` numbers the life of an id, so that rows of a deleted task are never taken for another's.
// - A class is a type and level, apart for events that stand alone (`plain`). Each event knows its
//   place within its class, so counting the matching events before an index is one look per class.
// - The text of an accumulate series is kept in parts of bounded size, JSON-escaped: appending
//   rewrites one part at most, and a character that is split between two events survives.
// - The archive has the same tables of its own, so that one file can be both: a hot copy is given up
//   when the archive has it, whatever the other store is.
// - Of events that were trimmed only those places are in `trimmed` that countMatches needs. A series
//   counts its events that are left; NULL is a series from before that, whose events nobody counted.
//   `newest_event` is its newest event as JSON once that was trimmed and the fold was not.
// - Where a log ends is what its newest event says, which is never trimmed: so appending an event
//   changes one page. `bytes` counts the data of all events up to that one, be they trimmed or left;
//   of a log that is older than this column that holds for its newest event. `count` of a class is
//   what it had when events of it were trimmed last: where some are left behind that, they tell.
// - `class_blocks` says in which blocks of 16 indexes events of a class are left. An index over
//   events would be a second page for each event.
// - `closed_ids` are those of tasks that were released lately, which no other task may have.
// - Events are kept by one number, the task's and below it 28 bits of the index: see `eventKey`.
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE tasks (
    task INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    incarnation TEXT NOT NULL,
    version INTEGER NOT NULL,
    status TEXT NOT NULL,
    type TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    record TEXT NOT NULL,
    length INTEGER NOT NULL,
    data_bytes INTEGER NOT NULL,
    timestamp INTEGER NOT NULL
  );
  CREATE INDEX tasks_by_age ON tasks (created_at, id);
  CREATE INDEX tasks_by_status ON tasks (status, created_at, id);
  CREATE TABLE tags (
    tag TEXT NOT NULL,
    task INTEGER NOT NULL,
    PRIMARY KEY (tag, task)
  ) WITHOUT ROWID;
  CREATE INDEX tags_by_task ON tags (task);
  CREATE TABLE classes (
    task INTEGER NOT NULL,
    class INTEGER NOT NULL,
    type TEXT NOT NULL,
    level TEXT NOT NULL,
    plain INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (task, class)
  ) WITHOUT ROWID;
  CREATE TABLE events (
    task INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    timestamp INTEGER NOT NULL,
    entropy INTEGER NOT NULL,
    class INTEGER NOT NULL,
    place INTEGER NOT NULL,
    data TEXT NOT NULL,
    series TEXT,
    PRIMARY KEY (task, idx)
  ) WITHOUT ROWID;
  CREATE INDEX events_by_class ON events (task, class, idx, place);
  CREATE TABLE series (
    task INTEGER NOT NULL,
    series TEXT NOT NULL,
    mode TEXT NOT NULL,
    acc_field TEXT,
    newest INTEGER NOT NULL,
    is_text INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    part_bytes INTEGER NOT NULL,
    classes TEXT NOT NULL,
    PRIMARY KEY (task, series)
  ) WITHOUT ROWID;
  CREATE INDEX series_by_newest ON series (task, newest) WHERE mode <> 'keep-all';
  CREATE TABLE series_parts (
    task INTEGER NOT NULL,
    series TEXT NOT NULL,
    part INTEGER NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (task, series, part)
  ) WITHOUT ROWID;
  CREATE TABLE producers (
    task INTEGER NOT NULL,
    producer TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    next_seq INTEGER NOT NULL,
    PRIMARY KEY (task, producer)
  ) WITHOUT ROWID;
  CREATE TABLE producer_events (
    task INTEGER NOT NULL,
    producer TEXT NOT NULL,
    seq INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    PRIMARY KEY (task, producer, seq)
  ) WITHOUT ROWID;
  CREATE TABLE due (
    at_ms INTEGER NOT NULL,
    kind TEXT NOT NULL,
    task INTEGER NOT NULL,
    PRIMARY KEY (at_ms, kind, task)
  ) WITHOUT ROWID;
  CREATE INDEX due_by_task ON due (task);
  `,
  `
  CREATE TABLE archive_work (
    work TEXT NOT NULL,
    task INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (work, task)
  ) WITHOUT ROWID;
  CREATE INDEX archive_work_by_time ON archive_work (work, at_ms);
  CREATE INDEX archive_work_by_task ON archive_work (task);
  CREATE TABLE archived_tasks (
    task INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    incarnation TEXT NOT NULL,
    version INTEGER NOT NULL,
    status TEXT NOT NULL,
    type TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    record TEXT NOT NULL,
    length INTEGER NOT NULL,
    data_bytes INTEGER NOT NULL,
    timestamp INTEGER NOT NULL
  );
  CREATE INDEX archived_tasks_by_age ON archived_tasks (created_at, id);
  CREATE INDEX archived_tasks_by_status ON archived_tasks (status, created_at, id);
  CREATE TABLE archived_tags (
    tag TEXT NOT NULL,
    task INTEGER NOT NULL,
    PRIMARY KEY (tag, task)
  ) WITHOUT ROWID;
  CREATE INDEX archived_tags_by_task ON archived_tags (task);
  CREATE TABLE archived_classes (
    task INTEGER NOT NULL,
    class INTEGER NOT NULL,
    type TEXT NOT NULL,
    level TEXT NOT NULL,
    plain INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (task, class)
  ) WITHOUT ROWID;
  CREATE TABLE archived_events (
    task INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    timestamp INTEGER NOT NULL,
    entropy INTEGER NOT NULL,
    class INTEGER NOT NULL,
    place INTEGER NOT NULL,
    data TEXT NOT NULL,
    series TEXT,
    PRIMARY KEY (task, idx)
  ) WITHOUT ROWID;
  CREATE INDEX archived_events_by_class ON archived_events (task, class, idx, place);
  CREATE TABLE archived_series (
    task INTEGER NOT NULL,
    series TEXT NOT NULL,
    mode TEXT NOT NULL,
    acc_field TEXT,
    newest INTEGER NOT NULL,
    is_text INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    part_bytes INTEGER NOT NULL,
    classes TEXT NOT NULL,
    PRIMARY KEY (task, series)
  ) WITHOUT ROWID;
  CREATE INDEX archived_series_by_newest ON archived_series (task, newest) WHERE mode <> 'keep-all';
  CREATE TABLE archived_series_parts (
    task INTEGER NOT NULL,
    series TEXT NOT NULL,
    part INTEGER NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (task, series, part)
  ) WITHOUT ROWID;
  CREATE TABLE archived_deletions (
    incarnation TEXT PRIMARY KEY,
    at_ms INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX archived_deletions_by_time ON archived_deletions (at_ms);
  `,
  `
  ALTER TABLE tasks ADD COLUMN hooked INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE archived_tasks ADD COLUMN hooked INTEGER NOT NULL DEFAULT 0;
  CREATE TABLE notes (
    task INTEGER NOT NULL,
    name TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (task, name)
  ) WITHOUT ROWID;
  `,
  `
  ALTER TABLE tasks ADD COLUMN trimmed_through INTEGER;
  ALTER TABLE archived_tasks ADD COLUMN trimmed_through INTEGER;
  ALTER TABLE series ADD COLUMN left_events INTEGER;
  ALTER TABLE series ADD COLUMN newest_event TEXT;
  ALTER TABLE archived_series ADD COLUMN left_events INTEGER;
  ALTER TABLE archived_series ADD COLUMN newest_event TEXT;
  CREATE TABLE trimmed (
    task INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    class INTEGER NOT NULL,
    place INTEGER NOT NULL,
    PRIMARY KEY (task, idx)
  ) WITHOUT ROWID;
  CREATE INDEX trimmed_by_class ON trimmed (task, class, idx, place);
  CREATE TABLE archived_trimmed (
    task INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    class INTEGER NOT NULL,
    place INTEGER NOT NULL,
    PRIMARY KEY (task, idx)
  ) WITHOUT ROWID;
  CREATE INDEX archived_trimmed_by_class ON archived_trimmed (task, class, idx, place);
  CREATE INDEX producer_events_by_index ON producer_events (task, idx);
  CREATE TABLE archived_archive_work (
    work TEXT NOT NULL,
    task INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    PRIMARY KEY (work, task)
  ) WITHOUT ROWID;
  CREATE INDEX archived_archive_work_by_time ON archived_archive_work (work, at_ms);
  CREATE INDEX archived_archive_work_by_task ON archived_archive_work (task);
  `,
  ["", "archived_"].map((prefix) => `
  CREATE TABLE ${prefix}class_blocks (
    task INTEGER NOT NULL,
    class INTEGER NOT NULL,
    block INTEGER NOT NULL,
    PRIMARY KEY (task, class, block)
  ) WITHOUT ROWID;
  INSERT INTO ${prefix}class_blocks SELECT DISTINCT task, class, idx / 16 FROM ${prefix}events;
  DROP INDEX ${prefix}events_by_class;
  ALTER TABLE ${prefix}events RENAME TO ${prefix}events_4;
  CREATE TABLE ${prefix}events (
    task INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    timestamp INTEGER NOT NULL,
    entropy INTEGER NOT NULL,
    class INTEGER NOT NULL,
    place INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    series TEXT,
    data TEXT NOT NULL,
    PRIMARY KEY (task, idx)
  ) WITHOUT ROWID;
  INSERT INTO ${prefix}events
    SELECT e.task, e.idx, e.timestamp, e.entropy, e.class, e.place, t.data_bytes, e.series, e.data
    FROM ${prefix}events_4 e JOIN ${prefix}tasks t ON t.task = e.task ORDER BY e.task, e.idx;
  DROP TABLE ${prefix}events_4;
  ALTER TABLE ${prefix}tasks ADD COLUMN trimmed_bytes INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE ${prefix}tasks DROP COLUMN length;
  ALTER TABLE ${prefix}tasks DROP COLUMN data_bytes;
  ALTER TABLE ${prefix}tasks DROP COLUMN timestamp;
  `).join(""),
  ["", "archived_"].map((prefix) => `
  ALTER TABLE ${prefix}events RENAME TO ${prefix}events_5;
  CREATE TABLE ${prefix}events (
    event INTEGER PRIMARY KEY,
    task INTEGER GENERATED ALWAYS AS (event >> 28) VIRTUAL,
    idx INTEGER GENERATED ALWAYS AS (event & 268435455) VIRTUAL,
    timestamp INTEGER NOT NULL,
    entropy INTEGER NOT NULL,
    class INTEGER NOT NULL,
    place INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    series TEXT,
    data TEXT NOT NULL
  );
  INSERT INTO ${prefix}events (event, timestamp, entropy, class, place, bytes, series, data)
    SELECT (task << 28) + idx, timestamp, entropy, class, place, bytes, series, data
    FROM ${prefix}events_5 ORDER BY task, idx;
  DROP TABLE ${prefix}events_5;
  `).join(""),
  `
  CREATE TABLE closed_ids (
    id TEXT PRIMARY KEY,
    incarnation TEXT NOT NULL,
    until_ms INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX closed_ids_by_time ON closed_ids (until_ms);
  `,
];

/** The tables besides `events` that hold rows of an archived task, and with it those of any task. */
export const LOG_TABLES = [
  "trimmed",
  "class_blocks",
  "classes",
  "series_parts",
  "series",
  "archive_work",
  "tags",
  "tasks",
] as const;

/** The tables besides `events` that hold rows of a task. */
export const TASK_TABLES: readonly string[] = [
  "producer_events",
  "producers",
  "due",
  "notes",
  ...LOG_TABLES,
];

/** Before the names of the archive's tables. */
export const ARCHIVE_PREFIX = "archived_";

/**
 * Brings the file up to date, one process at a time.
 *
 * @param to Migrations that the file is to have; fewer than all make a file of an earlier version.
 * @throws {Error} If a newer version wrote the file.
 */
export function migrate(database: SqliteDatabase, to: number = MIGRATIONS.length): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    const row = database.prepare("PRAGMA user_version").get() as { user_version: number };
    const { user_version: version } = row;
    if (version > MIGRATIONS.length) {
      throw new Error(
        `The SQLite file has version ${version} of its tables, and this program knows ` +
          `${MIGRATIONS.length}: use the newer program that wrote it`,
      );
    }
    for (const migration of MIGRATIONS.slice(version, to)) database.exec(migration);
    database.exec(`PRAGMA user_version = ${Math.max(version, to)}`);
    database.exec("COMMIT");
  } catch (error) {
    try {
      database.exec("ROLLBACK");
    } catch {
      // The error has ended the transaction by itself, as a full disk does; nothing is left to undo.
    }
    throw error;
  }
}
