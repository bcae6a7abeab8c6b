import type { SqliteDatabase } from "./connection/driver.ts";

// Every released migration in order. New ones are appended; released ones never change.
//
// - `task` numbers an incarnation, so that rows of a deleted task are never taken for another's.
// - A class is an event kind: a type and a level, separate for standalone events (`plain`). Each
//   event stores its rank within its class (`place`), so counting the matching events before an
//   index is one lookup per class.
// - The text of an accumulate series is stored in parts of bounded size, JSON-escaped: appending
//   rewrites at most one part, and a character split between two events survives.
// - The archive has the same tables of its own, so that one file can be both: a hot copy is
//   released once the archive has it, whatever the other store is.
// - `trimmed` has only those ranks of trimmed events that countMatches needs. A series counts its
//   remaining events; NULL marks an older series, whose events were not counted. `newest_event` is
//   its newest event as JSON if that was trimmed and the fold was not.
// - The newest event, which is never trimmed, defines the end of the log, so appending an event
//   changes one page. `bytes` counts the data of all events up to that one, trimmed ones included;
//   in logs older than this column, it does so from the newest event on. `count` of a class dates
//   from the last trimming of its events; remaining events after that have higher ranks.
// - `class_blocks` names the blocks of 16 indexes with remaining events of a class. An index over
//   events would be a second page for each event.
// - `closed_ids` are ids of recently released tasks, which no other task may take.
// - The key of an event is one number, the task's, with the index in its lower 28 bits: see
//   `eventKey`.
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

/** Tables besides `events` with rows of archived tasks; the short-term store has the same. */
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

/** Tables besides `events` with rows of tasks in the short-term store. */
export const TASK_TABLES: readonly string[] = [
  "producer_events",
  "producers",
  "due",
  "notes",
  ...LOG_TABLES,
];

/** Prefix of the archive's tables. */
export const ARCHIVE_PREFIX = "archived_";

/**
 * Brings the file up to date, one process at a time.
 *
 * @param to Number of migrations; fewer than all make a file of an earlier version.
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
      // The error, e.g. a full disk, has already ended the transaction.
    }
    throw error;
  }
}
