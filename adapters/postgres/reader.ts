import type {
  EventClass,
  FoldPage,
  FoldQuery,
  ListPage,
  ListQuery,
  LogPage,
  LogQuery,
  SeriesFold,
  StoredEvent,
  TaskHead,
  TaskReader,
  TaskRecord,
} from "@taskcast/core";
import { isDiverged, matchesEverything } from "@taskcast/core";
import type { EventFilter, Level, SeriesMode, TaskStatus } from "@taskcast/core/protocol";
import { SERVER_EVENT } from "@taskcast/core/protocol";
import type { Database, Value } from "./database.ts";
import { answerOf } from "./errors.ts";
import { PART_LENGTH } from "./task_state.ts";
import { unescaped, withText } from "./text.ts";

interface TaskRow {
  incarnation: string;
  status: TaskStatus;
  length: number;
  /** The entropies of the events at which a page begins and may end. */
  before?: number | null;
  at_end?: number | null;
}

/** An event with what its class and series say. */
type EventRow = [
  idx: number,
  time: number,
  entropy: number,
  type: string,
  level: Level,
  data: string | null,
  series: string | null,
  mode: SeriesMode | null,
  accField: string | null,
  part: number | null,
  at: number | null,
  len: number | null,
];

const EVENT_COLUMNS =
  "e.idx, e.time, e.entropy, c.type, c.level, e.data::text AS data, e.series, " +
  "s.mode, s.acc_field, e.part, e.at, e.len";
const EVENT_ARRAY = "json_build_array(idx, time, entropy, type, level, data, series, mode, " +
  "acc_field, part, at, len)";
// How much a read costs must not hang on what the planner believes of tables that grew since they
// were last looked at: it would read the rest of a log and sort it to give a page of it, or a whole
// table to name the types of a page. So events are found in subqueries with a limit, which are not
// joined in another order, each with one index that gives the order. Places in a log, and within a
// class, are compared as rows, since by the task alone another index would do as well.

/** What there is to an event, which is certainly there: the first that does not come before it. */
const CLASS_OF_EVENT = "CROSS JOIN LATERAL (SELECT type, level FROM {classes} " +
  "WHERE (task, class) >= (e.task, e.class) ORDER BY task, class LIMIT 1) c";
const SERIES_OF_EVENT = "LEFT JOIN LATERAL (SELECT mode, acc_field FROM {series} " +
  "WHERE (task, series) >= (e.task, e.series) ORDER BY task, series LIMIT 1) s " +
  "ON e.series IS NOT NULL";

/**
 * The first of a range of a log or of a class, or the last: by an index of these columns, the last of
 * which is the place, where the others have these values.
 *
 * Rows are compared where the range begins only. Where it ends is looked at behind the limit: of a
 * range with two ends the planner believes that it is small, and that another index and a sort do as
 * well. So the limit is no more than there can be. The planner cannot see it: it plans for the first
 * rows then, and never for all.
 *
 * @param left How many events of the log or of the class there still are.
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

/** The first events of the range, or the last. */
function ofLog(order: "ASC" | "DESC"): string {
  return rangeOf({ task: "t.task" }, "t.length - t.trimmed", order);
}

/** Of a class as many as could be wanted, so that none is read that comes far behind. */
function ofClass(order: "ASC" | "DESC"): string {
  return rangeOf({ task: "t.task", class: "c.class" }, "c.count - c.trimmed", order);
}

/** The newest event of a series, which its fold needs even if it was removed from the log. */
const NEWEST_EVENT = "SELECT * FROM {events} WHERE task = s.task AND idx = s.newest UNION ALL " +
  "SELECT * FROM {folded_events} WHERE task = s.task AND idx = s.newest LIMIT 1";

/**
 * A page of folds: one more than is wanted is looked for, which tells whether there are others. Sizes
 * are added up in two steps, since texts have many parts: by what these have at least, and exactly
 * where the page may end.
 */
function foldsStatement({ texts, isOne }: { texts: boolean; isOne: boolean }): string {
  const before = (size: string) =>
    `sum(${size}) OVER (ORDER BY newest ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)`;
  const parts = "FROM {series_parts} p WHERE p.task = s.task AND p.series = s.series " +
    "AND p.part >= s.first_part";
  const least = texts ? `${LEAST_OF_PART} * greatest(s.parts - s.first_part - 1, 0)` : "0";
  const size = "coalesce(octet_length(e.data::text), e.len)" +
    (texts ? ` + coalesce((SELECT sum(octet_length(p.text)) ${parts}), 0)` : "");
  return "WITH t AS (SELECT task, incarnation, status, length, " +
    `${entropyAt("t.task", "length - 1")} AS at_end FROM {tasks} t WHERE id = $1), ` +
    "found AS MATERIALIZED (SELECT s.* FROM t JOIN {series} s ON s.task = t.task " +
    "AND s.newest > $2::int AND s.newest <= $3::int AND s.mode <> 'keep-all' " +
    `${isOne ? "AND s.series = $6 " : ""}ORDER BY s.newest LIMIT $4::int + 1), ` +
    `near AS (SELECT s.*, ${before(least)} AS before FROM found s), ` +
    `sized AS (SELECT ${EVENT_COLUMNS}, s.task, s.newest, s.is_text, s.first_part, s.classes, ` +
    `${size} AS size FROM near s CROSS JOIN LATERAL (${NEWEST_EVENT}) e ` +
    "JOIN {classes} c ON c.task = e.task AND c.class = e.class " +
    "WHERE coalesce(s.before, 0) < $5::bigint), " +
    `page AS (SELECT * FROM (SELECT sized.*, ${before("size")} AS before FROM sized) s ` +
    "WHERE coalesce(before, 0) < $5::bigint ORDER BY newest LIMIT $4::int) " +
    `SELECT ${TASK}, (SELECT count(*) FROM found)::int AS found, ` +
    `(SELECT json_agg(json_build_array(${EVENT_ARRAY}, classes, ${texts ? "is_text" : "false"}, ` +
    `${texts ? `(SELECT string_agg(p.text, '' ORDER BY p.part) ${parts})` : "NULL"}, ` +
    "(SELECT p.text FROM {series_parts} p WHERE p.task = s.task " +
    "AND p.series = s.series AND p.part = s.part)) ORDER BY newest) FROM page s) AS folds";
}

/** Characters of two parts of a text, one after the other, come to twice that at least. */
const LEAST_OF_PART = PART_LENGTH / 2;

/**
 * How many events of a class come before an index: what the last place through it says, of an event
 * or of one that was removed.
 */
function countThrough(table: string): string {
  return "SELECT CASE WHEN e.task = k.task AND e.class = k.class " +
    "THEN e.place + (e.idx < i.index::text::int)::int ELSE 0 END " +
    `FROM ${table} e WHERE (e.task, e.class, e.idx) <= (k.task, k.class, i.index::text::int) ` +
    "ORDER BY e.task DESC, e.class DESC, e.idx DESC LIMIT 1";
}

/** Of a page those that fit into so many bytes, and the one that brings them there. */
function within(source: string, order: "ASC" | "DESC"): string {
  return "SELECT * FROM (SELECT *, sum(size) OVER " +
    `(ORDER BY idx ${order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM ` +
    `(SELECT *, coalesce(octet_length(data), len) AS size FROM (${source}) all_events) sized) summed ` +
    "WHERE coalesce(before, 0) < $5::bigint";
}

/** Reads; each is one statement, so that what it says is of one moment. */
export class PostgresTaskReader implements TaskReader {
  /** Where the tables are. */
  protected readonly database: Database;

  constructor(database: Database) {
    this.database = database;
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

  async listTasks({ statuses, types, tag, limit, after }: ListQuery): Promise<ListPage> {
    const values: Value[] = [];
    const bound = (value: Value) => `$${values.push(value)}`;
    const conditions = ["true"];
    if (statuses !== undefined) {
      conditions.push(`status IN (${textsOf(bound(JSON.stringify(statuses)))})`);
    }
    if (types !== undefined) conditions.push(typeCondition("type", types, bound));
    if (tag !== undefined) conditions.push(`tags @> ARRAY[${bound(tag)}::text]`);
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
    const { after, through = MAX_INDEX, limit, maxBytes = MAX_BYTES, filter, plain = false } =
      query;
    const { backward = false } = query;
    const values: Value[] = [taskId, after, through, limit, maxBytes];
    const bound = (value: Value) => `$${values.push(value)}`;
    const order = backward ? "DESC" : "ASC";
    const isWhole = !plain && matchesEverything(filter);
    const source = isWhole
      ? `SELECT ${EVENT_COLUMNS} FROM t, LATERAL (${ofLog(order)}) e ` +
        `${CLASS_OF_EVENT} ${SERIES_OF_EVENT}`
      : `SELECT ${EVENT_COLUMNS} FROM t JOIN {classes} c ON c.task = t.task, ` +
        `LATERAL (${ofClass(order)}) e ${SERIES_OF_EVENT} ` +
        `WHERE ${classCondition("c", filter, bound)}${plain ? " AND c.plain" : ""} ` +
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
    // A page that shows nothing ends where it was to begin, or where the log ends.
    const entropy = scannedTo === last?.index
      ? last.entropy
      : scannedTo === to
      ? task.at_end
      : task.before;
    if (typeof entropy === "number") page.entropy = entropy;
    return page;
  }

  async readFolds(taskId: string, query: FoldQuery): Promise<FoldPage | undefined> {
    const { after, through = MAX_INDEX, limit, maxBytes = MAX_BYTES, texts = true } = query;
    const { seriesId } = query;
    const values: Value[] = [taskId, after, through, limit, maxBytes];
    if (seriesId !== undefined) values.push(seriesId);
    const [row] = await this.database.read<
      { task: TaskRow | null; found: number; folds: FoldRow[] | null }
    >(foldsStatement({ texts, isOne: seriesId !== undefined }), ...values);
    const { task, found, folds: rows } = answerOf(row);
    if (task === null) return undefined;
    const { incarnation, status, length, at_end: entropy } = task;
    const folds = (rows ?? []).map(toFold);
    const end = Math.max(Math.min(through, length - 1), after);
    const isEnd = folds.length === 0 || folds.length === found;
    const scannedTo = isEnd ? end : folds.at(-1)!.newest.index;
    const page: FoldPage = { folds, scannedTo, length, incarnation, status };
    if (typeof entropy === "number") page.entropy = entropy;
    return page;
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

/** The entropy of a task's event at an index, as a subquery. */
function entropyAt(task: string, index: string): string {
  return `(SELECT e.entropy FROM {events} e WHERE e.task = ${task} AND e.idx = ${index})`;
}

const MAX_INDEX = 2_147_483_647;
const MAX_BYTES = Number.MAX_SAFE_INTEGER;
const TASK = "(SELECT row_to_json(t) FROM t) AS task";

type Part = [series: string, part: number, text: string];

interface Page {
  task: TaskRow | null;
  events: EventRow[] | null;
  parts: Part[] | null;
  is_full: boolean | null;
}

type FoldRow = [
  newest: EventRow,
  classes: EventClass[] | null,
  isText: boolean,
  text: string | null,
  newestPart: string | null,
];

function eventsOf(rows: EventRow[] | null, parts: Part[] | null): StoredEvent[] {
  const texts = new Map(parts?.map(([series, part, text]) => [`${part} ${series}`, text]));
  return (rows ?? []).map((row) => toStoredEvent(row, texts.get(`${row[9]} ${row[6]}`)));
}

function toStoredEvent(row: EventRow, partText: string | null | undefined): StoredEvent {
  const [index, timestamp, entropy, type, level, kept, series, mode, accField, , at, len] = row;
  const data = kept ?? withText(accField!, partText!.slice(at!, at! + len!));
  const event: StoredEvent = { index, timestamp, entropy, type, level, data };
  if (series !== null && mode !== null) {
    event.seriesId = series;
    event.seriesMode = mode;
    if (mode === "accumulate" && accField !== null) event.accField = accField;
  }
  return event;
}

function toFold([newest, classes, isText, text, newestPart]: FoldRow): SeriesFold {
  const [, , , , , , seriesId, mode, accField] = newest;
  const fold: SeriesFold = {
    seriesId: seriesId!,
    mode: mode as SeriesFold["mode"],
    newest: toStoredEvent(newest, newestPart),
    classes,
  };
  if (accField !== null) fold.accField = accField;
  if (isText) fold.text = unescaped(text ?? "");
  return fold;
}

/** The texts of a JSON array, as a subquery. */
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

/** Which classes a filter takes. */
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
