import type {
  FoldPage,
  FoldQuery,
  ListPage,
  ListQuery,
  LogPage,
  LogQuery,
  TaskHead,
  TaskReader,
  TaskRecord,
} from "@taskcast/core/adapter";
import { isDiverged, matchesEverything } from "@taskcast/core/adapter";
import type { EventFilter } from "@taskcast/core/protocol";
import { SERVER_EVENT } from "@taskcast/core/protocol";
import type { Database, Value } from "./connection/database.ts";
import { answerOf } from "./connection/errors.ts";
import type { EventRow, Part, TaskRow } from "./rows/event_rows.ts";
import {
  entropyAt,
  EVENT_ARRAY,
  EVENT_COLUMNS,
  eventsOf,
  MAX_BYTES,
  MAX_INDEX,
  TASK,
} from "./rows/event_rows.ts";
import { FoldReader } from "./rows/folds.ts";

// The cost of a read must not depend on the planner's statistics, which are wrong for tables that
// grew since the last ANALYZE: it would read and sort the rest of a log for one page, or a whole
// table for the types of a page. So events are found in subqueries with a limit, which are not
// reordered, each with one index that gives the order. Positions in a log and in a class are
// compared as rows, because for the task alone another index would do as well.

/** Joins an event with its class, which always exists: as the first row that is not before it. */
const CLASS_OF_EVENT = "CROSS JOIN LATERAL (SELECT type, level FROM {classes} " +
  "WHERE (task, class) >= (e.task, e.class) ORDER BY task, class LIMIT 1) c";
const SERIES_OF_EVENT = "LEFT JOIN LATERAL (SELECT mode, acc_field FROM {series} " +
  "WHERE (task, series) >= (e.task, e.series) ORDER BY task, series LIMIT 1) s " +
  "ON e.series IS NOT NULL";

/**
 * Returns a query for the first or last events of a range of a log or a class, by an index on these
 * columns. The last column is the position; the others have the given values.
 *
 * Rows are compared only at the start of the range; the end is checked after the limit. For a range
 * with two ends, the planner assumes few rows and chooses another index with a sort. The limit is
 * therefore never above the number of events. The planner cannot see its value, and so plans for
 * the first rows rather than for all.
 *
 * @param left SQL for the number of remaining events of the log or the class.
 */
function rangeOf(where: Record<string, string>, left: string, order: "ASC" | "DESC"): string {
  const columns = [...Object.keys(where), "idx"].map((column) => `e.${column}`);
  const begin = (operator: string, index: string) =>
    `(${columns.join(", ")}) ${operator} (${[...Object.values(where), index].join(", ")})`;
  const [first, last] = order === "ASC"
    ? [begin(">", "$2::int"), "e.idx <= $3::int"]
    : [begin("<=", "$3::int"), "e.idx > $2::int"];
  const isSame = Object.entries(where).map(([column, value]) => `e.${column} = ${value}`);
  return `SELECT * FROM (SELECT e.* FROM {events} e WHERE ${first} ` +
    `ORDER BY ${columns.map((column) => `${column} ${order}`).join(", ")} ` +
    "LIMIT (SELECT greatest(0, least($4::int, least($3::int, t.length - 1)::bigint - $2::int, " +
    `${left})))) e WHERE ${isSame.join(" AND ")} AND ${last}`;
}

/** Returns a query for the first or last events of a range of the log. */
function ofLog(order: "ASC" | "DESC"): string {
  return rangeOf({ task: "t.task" }, "t.length - t.trimmed", order);
}

/** Returns a query for up to `limit` events of a class, so that none is read in vain. */
function ofClass(order: "ASC" | "DESC"): string {
  return rangeOf({ task: "t.task", class: "c.class" }, "c.count - c.trimmed", order);
}

/**
 * Returns a query for the number of events of a class before an index: the rank of the last event
 * through it, remaining or removed.
 */
function countThrough(table: string): string {
  return "SELECT CASE WHEN e.task = k.task AND e.class = k.class " +
    "THEN e.place + (e.idx < i.index::text::int)::int ELSE 0 END " +
    `FROM ${table} e WHERE (e.task, e.class, e.idx) <= (k.task, k.class, i.index::text::int) ` +
    "ORDER BY e.task DESC, e.class DESC, e.idx DESC LIMIT 1";
}

/**
 * Returns a query for the events of a page that fit into the byte limit, including the one that
 * reaches it.
 */
function within(source: string, order: "ASC" | "DESC"): string {
  return "SELECT * FROM (SELECT *, sum(size) OVER " +
    `(ORDER BY idx ${order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM ` +
    `(SELECT *, coalesce(octet_length(data), len) AS size FROM (${source}) all_events) sized) summed ` +
    "WHERE coalesce(before, 0) < $5::bigint";
}

/** Reads of tasks. Each is one statement, so it sees one snapshot. */
export class PostgresTaskReader implements TaskReader {
  /** The database with the tables. */
  protected readonly database: Database;
  readonly #folds: FoldReader;

  constructor(database: Database) {
    this.database = database;
    this.#folds = new FoldReader(database);
  }

  async getTask(taskId: string, at?: number): Promise<TaskHead | undefined> {
    const isWanted = at !== undefined && at >= 0 && at <= MAX_INDEX;
    const [row] = isWanted
      ? await this.database.read<HeadRow>(
        "SELECT record, length, trimmed_through, " +
          `${entropyAt("t.task", "$2::int")}::float8 AS entropy FROM {tasks} t WHERE id = $1`,
        taskId,
        at,
      )
      : await this.database.read<HeadRow>(
        "SELECT record, length, trimmed_through FROM {tasks} WHERE id = $1",
        taskId,
      );
    if (row === undefined) return undefined;
    const { record, length, trimmed_through: trimmedThrough, entropy } = row;
    const head: TaskHead = { record, length };
    if (trimmedThrough !== null) head.trimmedThrough = trimmedThrough;
    if (typeof entropy === "number") head.entropy = entropy;
    return head;
  }

  async listTasks(
    { statuses, types, tag, priority, limit, after }: ListQuery,
  ): Promise<ListPage> {
    const values: Value[] = [];
    const bound = (value: Value) => `$${values.push(value)}`;
    const conditions = ["true"];
    if (statuses !== undefined) {
      conditions.push(`status IN (${textsOf(bound(JSON.stringify(statuses)))})`);
    }
    if (types !== undefined) conditions.push(typeCondition("type", types, bound));
    if (tag !== undefined) conditions.push(`tags @> ARRAY[${bound(tag)}::text]`);
    if (priority !== undefined) {
      conditions.push(`priority = ${bound(priority)}::smallint`);
      // The index leaves out the default, which most tasks have.
      if (priority !== 0) conditions.push("priority <> 0");
    }
    if (after !== undefined) {
      conditions.push(
        `(created_at, id) < (${bound(after.createdAt)}::bigint, ${bound(after.id)}::text)`,
      );
    }
    const rows = await this.database.read<{ record: TaskRecord }>(
      `SELECT record FROM {tasks} WHERE ${conditions.join(" AND ")} ` +
        `ORDER BY created_at DESC, id DESC LIMIT ${bound(limit + 1)}::int`,
      ...values,
    );
    const tasks = rows.slice(0, limit).map(({ record }) => record);
    return { tasks, more: rows.length > limit };
  }

  async readLog(taskId: string, query: LogQuery): Promise<LogPage | undefined> {
    const {
      after,
      through = MAX_INDEX,
      limit,
      maxBytes = MAX_BYTES,
      filter,
      standalone = false,
    } = query;
    const { backward = false } = query;
    const values: Value[] = [taskId, after, through, limit, maxBytes];
    const bound = (value: Value) => `$${values.push(value)}`;
    const order = backward ? "DESC" : "ASC";
    const isWhole = !standalone && matchesEverything(filter);
    const source = isWhole
      ? `SELECT ${EVENT_COLUMNS} FROM t, LATERAL (${ofLog(order)}) e ` +
        `${CLASS_OF_EVENT} ${SERIES_OF_EVENT}`
      : `SELECT ${EVENT_COLUMNS} FROM t JOIN {classes} c ON c.task = t.task, ` +
        `LATERAL (${ofClass(order)}) e ${SERIES_OF_EVENT} ` +
        `WHERE ${classCondition("c", filter, bound)}${standalone ? " AND c.plain" : ""} ` +
        `ORDER BY e.idx ${order} LIMIT $4::int`;
    const before = entropyAt("t.task", "$2::int");
    const atEnd = entropyAt("t.task", "least($3::int, length - 1)");
    const [row] = await this.database.read<Page>(
      `WITH t AS (SELECT task, incarnation, status, length, trimmed, ${before} AS before, ` +
        `${atEnd} AS at_end FROM {tasks} t WHERE id = $1), ` +
        `page AS MATERIALIZED (${within(source, order)}) SELECT ${TASK}, ` +
        "(SELECT sum(size) FROM page) >= $5::bigint AS is_full, " +
        `(SELECT json_agg(${EVENT_ARRAY} ORDER BY idx ${order}) FROM page) AS events, ` +
        "(SELECT json_agg(json_build_array(p.series, p.part, p.text)) FROM t " +
        "JOIN {series_parts} p ON p.task = t.task WHERE (p.series, p.part) IN " +
        "(SELECT series, part FROM page WHERE data IS NULL)) AS parts",
      ...values,
    );
    const { task, events, parts, is_full: isFull } = answerOf(row);
    if (task === null) return undefined;
    const { incarnation, status, length } = task;
    if (isDiverged(query, length, task.before ?? undefined)) {
      return { events: [], scannedTo: after, length, incarnation, status, diverged: true };
    }
    const found = eventsOf(events, parts);
    const to = Math.min(through, length - 1);
    const end = backward ? after + 1 : Math.max(to, after);
    const last = found.at(-1);
    const scannedTo = found.length < limit && !isFull ? end : last!.index;
    const page: LogPage = { events: found, scannedTo, length, incarnation, status };
    if (backward) return page;
    // An empty page ends where it began, or where the log ends.
    const entropy = scannedTo === last?.index
      ? last.entropy
      : scannedTo === to
      ? task.at_end
      : task.before;
    if (typeof entropy === "number") page.entropy = entropy;
    return page;
  }

  async readFolds(taskId: string, query: FoldQuery): Promise<FoldPage | undefined> {
    return await this.#folds.read(taskId, query);
  }

  async countMatches(
    taskId: string,
    filter: EventFilter,
    indexes: readonly number[],
    incarnation?: string,
  ): Promise<number[] | undefined> {
    const values: Value[] = [taskId, JSON.stringify(indexes)];
    const bound = (value: Value) => `$${values.push(value)}`;
    const [row] = await this.database.read<{ known: boolean; counts: number[] | null }>(
      "WITH t AS (SELECT task, trimmed_through FROM {tasks} WHERE id = $1" +
        `${incarnation === undefined ? "" : ` AND incarnation = ${bound(incarnation)}`}) ` +
        "SELECT EXISTS (SELECT FROM t) AS known, " +
        "(SELECT json_agg(total ORDER BY nth) FROM (SELECT i.nth, (SELECT coalesce(sum(greatest(" +
        `(${countThrough("{events}")}), CASE WHEN t.trimmed_through IS NOT NULL ` +
        `THEN (${countThrough("{trimmed}")}) END)), 0)::int ` +
        `FROM t JOIN {classes} k ON k.task = t.task WHERE ${classCondition("k", filter, bound)}) ` +
        "AS total FROM json_array_elements($2::text::json) WITH ORDINALITY AS i (index, nth)) x) " +
        "AS counts",
      ...values,
    );
    const { known, counts } = answerOf(row);
    return known ? counts ?? [] : undefined;
  }
}

interface HeadRow {
  record: TaskRecord;
  length: number;
  trimmed_through: number | null;
  entropy?: number | null;
}

interface Page {
  task: TaskRow | null;
  events: EventRow[] | null;
  parts: Part[] | null;
  is_full: boolean | null;
}

/** Returns a subquery for the texts of a JSON array. */
function textsOf(parameter: string): string {
  return `SELECT json_array_elements_text(${parameter}::text::json)`;
}

function typeCondition(
  column: string,
  types: readonly string[],
  bound: (value: Value) => string,
): string {
  if (types.includes("*")) return "true";
  const stems = types.filter((type) => type.endsWith(".*")).map((type) => type.slice(0, -1));
  return `(${column} IN (${textsOf(bound(JSON.stringify(types)))}) OR EXISTS (SELECT FROM ` +
    `json_array_elements_text(${bound(JSON.stringify(stems))}::text::json) AS stem (text) ` +
    `WHERE starts_with(${column}, stem.text)))`;
}

/** Returns the condition for the classes that match a filter. */
function classCondition(
  alias: string,
  filter: EventFilter | undefined,
  bound: (value: Value) => string,
): string {
  const { types = [], levels = [], includeStatus = true } = filter ?? {};
  const conditions = ["true"];
  if (types.length > 0) conditions.push(typeCondition(`${alias}.type`, types, bound));
  if (levels.length > 0) {
    conditions.push(`${alias}.level IN (${textsOf(bound(JSON.stringify(levels)))})`);
  }
  if (!includeStatus) conditions.push(`${alias}.type <> ${bound(SERVER_EVENT.status)}`);
  return conditions.join(" AND ");
}
