import type { EventKind, FoldPage, FoldQuery, SeriesFold } from "@taskcast/core/adapter";
import { unescapeJsonText } from "@taskcast/core/adapter";
import type { Database, Value } from "../connection/database.ts";
import { answerOf } from "../connection/errors.ts";
import type { EventRow, TaskRow } from "./event_rows.ts";
import {
  entropyAt,
  EVENT_ARRAY,
  EVENT_COLUMNS,
  MAX_BYTES,
  MAX_INDEX,
  TASK,
  toStoredEvent,
} from "./event_rows.ts";
import type { FoldKey } from "./fold_keys.ts";
import { KeyRanges, keysWithin } from "./fold_keys.ts";
import { PART_LENGTH } from "./task_state.ts";

// Series have no index by their newest event, since it would prevent the in-place update (HOT) of
// each publish to a series. So the next folds are found by scanning all series of the task. The
// pages of a long late join would then cost the square of their number, so from the second page on
// the scan also returns the keys of the folds after the page, and the next pages look up those.
//
// The cache never changes results: a page that the cached keys do not fill, because too many series
// continued or the keys are used up, is found by a scan again.

/** Maximum number of keys per scan. */
const KEYS_PER_SCAN = 16_384;

/** The way to find folds. */
type FoldSource = "one series" | "among series" | "among series, with keys" | "by keys";

/** SQL for the newest event of a series, which its fold needs even after trimming. */
const NEWEST_EVENT = "SELECT * FROM {events} WHERE task = s.task AND idx = s.newest UNION ALL " +
  "SELECT * FROM {folded_events} WHERE task = s.task AND idx = s.newest LIMIT 1";

/** Two consecutive parts of a text have at least twice this many characters. */
const LEAST_OF_PART = PART_LENGTH / 2;

const AMONG_SERIES = "SELECT s.* FROM t JOIN {series} s ON s.task = t.task " +
  "AND s.newest > $2::int AND s.newest <= $3::int AND s.mode <> 'keep-all' ";

const LOOK_UP = "CROSS JOIN LATERAL (SELECT * FROM {series} WHERE (task, series) >= " +
  "(t.task, k.series) ORDER BY task, series LIMIT 1) s " +
  "WHERE s.task = t.task AND s.series = k.series AND s.newest = k.newest";

const FOUND: Readonly<Record<FoldSource, string>> = {
  "one series": `${AMONG_SERIES}AND s.series = $6`,
  "among series": `${AMONG_SERIES}ORDER BY s.newest LIMIT $4::int + 1`,
  "among series, with keys": "SELECT s.* FROM t CROSS JOIN (SELECT * FROM keys " +
    "WHERE newest <= $3::int ORDER BY newest LIMIT $4::int + 1) k " +
    LOOK_UP,
  "by keys": "SELECT s.* FROM t CROSS JOIN (SELECT (k->>0)::int AS newest, k->>1 AS series " +
    `FROM json_array_elements($6::text::json) k) k ${LOOK_UP} ` +
    "AND s.newest > $2::int AND s.newest <= $3::int ORDER BY s.newest LIMIT $4::int + 1",
};

/** SQL for keys after the position, up to the end of the log regardless of the query. */
const KEYS = "SELECT s.newest, s.series FROM t JOIN {series} s ON s.task = t.task " +
  "AND s.newest > $2::int AND s.mode <> 'keep-all' " +
  "ORDER BY s.newest LIMIT greatest($6::int, $4::int + 1)";

/**
 * Returns a query for a page of folds. It looks for one extra, which shows whether there are more.
 * Sizes are summed in two steps, since texts have many parts: first by lower bounds, then exactly
 * near the end of the page.
 */
function foldsStatement(way: FoldSource, texts: boolean): string {
  const before = (size: string) =>
    `sum(${size}) OVER (ORDER BY newest ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)`;
  const parts = "FROM {series_parts} p WHERE p.task = s.task AND p.series = s.series " +
    "AND p.part >= s.first_part";
  const least = texts ? `${LEAST_OF_PART} * greatest(s.parts - s.first_part - 1, 0)` : "0";
  const size = "coalesce(octet_length(e.data::text), e.len)" +
    (texts ? ` + coalesce((SELECT sum(octet_length(p.text)) ${parts}), 0)` : "");
  return "WITH t AS (SELECT task, incarnation, status, length, " +
    `${entropyAt("t.task", "length - 1")} AS at_end` +
    `${way === "by keys" ? `, ${entropyAt("t.task", "$7::int")} AS at_known_end` : ""} ` +
    "FROM {tasks} t WHERE id = $1), " +
    `${way === "among series, with keys" ? `keys AS MATERIALIZED (${KEYS}), ` : ""}` +
    `found AS MATERIALIZED (${FOUND[way]}), ` +
    `near AS (SELECT s.*, ${before(least)} AS before FROM found s), ` +
    `sized AS (SELECT ${EVENT_COLUMNS}, s.task, s.newest, s.is_text, s.first_part, s.classes, ` +
    `${size} AS size FROM near s CROSS JOIN LATERAL (${NEWEST_EVENT}) e ` +
    "JOIN {classes} c ON c.task = e.task AND c.class = e.class " +
    "WHERE coalesce(s.before, 0) < $5::bigint), " +
    `page AS (SELECT * FROM (SELECT sized.*, ${before("size")} AS before FROM sized) s ` +
    "WHERE coalesce(before, 0) < $5::bigint ORDER BY newest LIMIT $4::int) " +
    `SELECT ${TASK}, (SELECT count(*) FROM found)::int AS found, ` +
    (way === "among series, with keys"
      ? "(SELECT json_agg(json_build_array(newest, series) ORDER BY newest) FROM keys) AS keys, "
      : "") +
    `(SELECT json_agg(json_build_array(${EVENT_ARRAY}, classes, ${texts ? "is_text" : "false"}, ` +
    `${texts ? `(SELECT string_agg(p.text, '' ORDER BY p.part) ${parts})` : "NULL"}, ` +
    "(SELECT p.text FROM {series_parts} p WHERE p.task = s.task " +
    "AND p.series = s.series AND p.part = s.part)) ORDER BY newest) FROM page s) AS folds";
}

interface FoldsRow {
  task: TaskRow & { at_known_end?: number | null } | null;
  found: number;
  keys?: FoldKey[] | null;
  folds: FoldRow[] | null;
}

type FoldRow = [
  newest: EventRow,
  classes: EventKind[] | null,
  isText: boolean,
  text: string | null,
  newestPart: string | null,
];

/** Reads pages of folds. */
export class FoldReader {
  readonly #database: Database;
  readonly #keysPerScan: number;
  readonly #ranges: KeyRanges;

  constructor(
    database: Database,
    { keysPerScan = KEYS_PER_SCAN, maxKeys }: { keysPerScan?: number; maxKeys?: number } = {},
  ) {
    this.#database = database;
    this.#keysPerScan = keysPerScan;
    this.#ranges = new KeyRanges(maxKeys);
  }

  async read(taskId: string, query: FoldQuery): Promise<FoldPage | undefined> {
    return pageOf(query, await this.#find(taskId, query));
  }

  async #find(taskId: string, query: FoldQuery): Promise<FoldsRow> {
    const { seriesId, after } = query;
    if (seriesId !== undefined) return await this.#ask(taskId, query, "one series", seriesId);
    // Most readers get everything with their first page.
    if (after < 0) return await this.#ask(taskId, query, "among series");
    return await this.#findByKeys(taskId, query) ?? await this.#scan(taskId, query);
  }

  /** Finds a page by cached keys, if these surely give the correct result. */
  async #findByKeys(taskId: string, query: FoldQuery): Promise<FoldsRow | undefined> {
    const { after, through = MAX_INDEX, limit } = query;
    const range = this.#ranges.find(taskId, after);
    if (range === undefined) return undefined;
    // Asks for half as many more, since continued series do not count.
    const { keys, areAll } = keysWithin(range, after, through, Math.ceil(1.5 * limit) + 1);
    const { end } = range;
    const row = await this.#ask(taskId, query, "by keys", JSON.stringify(keys), end.index);
    const { task, found } = row;
    if (task === null) return row;
    if (task.incarnation !== range.incarnation || task.at_known_end !== end.entropy) {
      this.#ranges.forget(range);
      return undefined;
    }
    const isCertain = found > limit || (areAll && lastIndex(query, task) <= range.through);
    return isCertain ? row : undefined;
  }

  /** Finds a page among all series, and caches the keys that follow. */
  async #scan(taskId: string, query: FoldQuery): Promise<FoldsRow> {
    const row = await this.#ask(taskId, query, "among series, with keys", this.#keysPerScan);
    const { task, folds, keys } = row;
    const isLast = (keys?.length ?? 0) === (folds?.length ?? 0);
    if (task === null || isLast || typeof task.at_end !== "number") return row;
    const { incarnation, length, at_end: entropy } = task;
    const end = { index: length - 1, entropy };
    const isWhole = keys!.length < this.#keysPerScan;
    const through = isWhole ? end.index : keys!.at(-1)![0];
    this.#ranges.remember(taskId, { incarnation, after: query.after, through, end, keys: keys! });
    return row;
  }

  async #ask(
    taskId: string,
    query: FoldQuery,
    way: FoldSource,
    ...more: Value[]
  ): Promise<FoldsRow> {
    const { after, through = MAX_INDEX, limit, maxBytes = MAX_BYTES, texts = true } = query;
    const values: Value[] = [taskId, after, through, limit, maxBytes, ...more];
    const [row] = await this.#database.read<FoldsRow>(foldsStatement(way, texts), ...values);
    return answerOf(row);
  }
}

function lastIndex({ through = MAX_INDEX }: FoldQuery, { length }: TaskRow): number {
  return Math.min(through, length - 1);
}

function pageOf(query: FoldQuery, row: FoldsRow): FoldPage | undefined {
  const { task, found, folds: rows } = row;
  if (task === null) return undefined;
  const { incarnation, status, length, at_end: entropy } = task;
  const folds = (rows ?? []).map(toFold);
  const isEnd = folds.length === 0 || folds.length === found;
  const scannedTo = isEnd
    ? Math.max(lastIndex(query, task), query.after)
    : folds.at(-1)!.newest.index;
  const page: FoldPage = { folds, scannedTo, length, incarnation, status };
  if (typeof entropy === "number") page.entropy = entropy;
  return page;
}

function toFold([newest, classes, isText, text, newestPart]: FoldRow): SeriesFold {
  const [, , , , , , seriesId, mode, accField] = newest;
  const fold: SeriesFold = {
    seriesId: seriesId!,
    mode: mode as SeriesFold["mode"],
    newest: toStoredEvent(newest, newestPart),
    eventKinds: classes,
  };
  if (accField !== null) fold.accField = accField;
  if (isText) fold.text = unescapeJsonText(text ?? "");
  return fold;
}
