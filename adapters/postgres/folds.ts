import type { EventClass, FoldPage, FoldQuery, SeriesFold } from "@taskcast/core";
import type { Database, Value } from "./database.ts";
import { answerOf } from "./errors.ts";
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
import { PART_LENGTH } from "./task_state.ts";
import { unescaped } from "./text.ts";

// There is no index of series by their newest event, which would cost each publish to a series its
// update in place (HOT). So there are two ways to find the next folds:
//
// - Among the rows of all series of the task. That is best where they are few; where they are many,
//   the pages of a whole late join would cost the square of their number.
// - Along the log: an event is the newest of its series if the series says so. A page costs the events
//   up to its last fold, so all pages together cost the log. Where most events are not the newest of
//   their series, that finds too little, and all series are looked at after all.

/** Series of a task from which on they are not looked at for each page. */
const MANY_SERIES = 2_000;

/** A step along the log costs as much as a look at so many series, so fewer steps are made. */
const SERIES_OF_A_STEP = 8;

/** Pages that are found among all series before it is decided anew. */
const PAGES_AMONG_SERIES = 16;

/** Tasks with more than a page of series that are remembered. */
const MAX_KNOWN = 1_000;

/** How folds are found. */
type Way = "one series" | "among series, counted" | "among series" | "along the log";

/** The newest event of a series, which its fold needs even if it was removed from the log. */
const NEWEST_EVENT = "SELECT * FROM {events} WHERE task = s.task AND idx = s.newest UNION ALL " +
  "SELECT * FROM {folded_events} WHERE task = s.task AND idx = s.newest LIMIT 1";

/** Characters of two parts of a text, one after the other, come to twice that at least. */
const LEAST_OF_PART = PART_LENGTH / 2;

const AMONG_SERIES = "SELECT s.* FROM t JOIN {series} s ON s.task = t.task " +
  "AND s.newest > $2::int AND s.newest <= $3::int AND s.mode <> 'keep-all' ";

/**
 * Each step is taken when the next fold is wanted: the order is that of the index, and the limit hides
 * how few events there may be (see `reader.ts`). There are as many as indexes, since none that comes
 * behind one that was removed is looked at.
 */
const ALONG_THE_LOG = "SELECT s.* FROM (SELECT e.task, e.idx, e.series FROM {events} e " +
  "WHERE (e.task, e.idx) > ((SELECT task FROM t), $2::int) ORDER BY e.task, e.idx " +
  "LIMIT (SELECT CASE WHEN coalesce(t.trimmed_through, -1) <= $2::int THEN greatest(0, " +
  "least($6::int, least($3::int, t.length - 1)::bigint - $2::int)) ELSE 0 END " +
  "FROM t)) e CROSS JOIN LATERAL (SELECT * FROM {series} WHERE (task, series) >= " +
  "(e.task, e.series) ORDER BY task, series LIMIT 1) s WHERE s.task = e.task " +
  "AND s.series = e.series AND s.newest = e.idx AND s.mode <> 'keep-all' " +
  "ORDER BY e.task, e.idx LIMIT $4::int + 1";

const NEXT_AMONG_SERIES = `${AMONG_SERIES}ORDER BY s.newest LIMIT $4::int + 1`;

const FOUND: Readonly<Record<Way, string>> = {
  "one series": `${AMONG_SERIES}AND s.series = $6`,
  "among series, counted": NEXT_AMONG_SERIES,
  "among series": NEXT_AMONG_SERIES,
  "along the log": ALONG_THE_LOG,
};

/** How many series the task has, where they are more than a page. */
const COUNT = "CASE WHEN (SELECT count(*) FROM found) > $4::int THEN " +
  "(SELECT count(*)::int FROM t JOIN {series} s ON s.task = t.task) END";

/**
 * A page of folds: one more than is wanted is looked for, which tells whether there are others. Sizes
 * are added up in two steps, since texts have many parts: by what these have at least, and exactly
 * where the page may end.
 */
function foldsStatement(way: Way, texts: boolean): string {
  const before = (size: string) =>
    `sum(${size}) OVER (ORDER BY newest ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)`;
  const parts = "FROM {series_parts} p WHERE p.task = s.task AND p.series = s.series " +
    "AND p.part >= s.first_part";
  const least = texts ? `${LEAST_OF_PART} * greatest(s.parts - s.first_part - 1, 0)` : "0";
  const size = "coalesce(octet_length(e.data::text), e.len)" +
    (texts ? ` + coalesce((SELECT sum(octet_length(p.text)) ${parts}), 0)` : "");
  return "WITH t AS (SELECT task, incarnation, status, length, trimmed_through, " +
    `${entropyAt("t.task", "length - 1")} AS at_end FROM {tasks} t WHERE id = $1), ` +
    `found AS MATERIALIZED (${FOUND[way]}), ` +
    `near AS (SELECT s.*, ${before(least)} AS before FROM found s), ` +
    `sized AS (SELECT ${EVENT_COLUMNS}, s.task, s.newest, s.is_text, s.first_part, s.classes, ` +
    `${size} AS size FROM near s CROSS JOIN LATERAL (${NEWEST_EVENT}) e ` +
    "JOIN {classes} c ON c.task = e.task AND c.class = e.class " +
    "WHERE coalesce(s.before, 0) < $5::bigint), " +
    `page AS (SELECT * FROM (SELECT sized.*, ${before("size")} AS before FROM sized) s ` +
    "WHERE coalesce(before, 0) < $5::bigint ORDER BY newest LIMIT $4::int) " +
    `SELECT ${TASK}, (SELECT count(*) FROM found)::int AS found, ` +
    `${way === "among series, counted" ? COUNT : "NULL::int"} AS series, ` +
    `(SELECT json_agg(json_build_array(${EVENT_ARRAY}, classes, ${texts ? "is_text" : "false"}, ` +
    `${texts ? `(SELECT string_agg(p.text, '' ORDER BY p.part) ${parts})` : "NULL"}, ` +
    "(SELECT p.text FROM {series_parts} p WHERE p.task = s.task " +
    "AND p.series = s.series AND p.part = s.part)) ORDER BY newest) FROM page s) AS folds";
}

interface FoldsRow {
  task: TaskRow & { trimmed_through: number | null } | null;
  found: number;
  series: number | null;
  folds: FoldRow[] | null;
}

type FoldRow = [
  newest: EventRow,
  classes: EventClass[] | null,
  isText: boolean,
  text: string | null,
  newestPart: string | null,
];

/** How the next pages of a task are to be found. */
interface Plan {
  /** Pages among all series that come first; then the plan is over. */
  amongSeries: number;
  /** Events that are looked through for a page otherwise. */
  steps: number;
}

/** Reads pages of folds. */
export class FoldReader {
  readonly #database: Database;
  /** For tasks with more than a page of series. Those used last are at the end. */
  readonly #plans = new Map<string, Plan>();

  constructor(database: Database) {
    this.#database = database;
  }

  async read(taskId: string, query: FoldQuery): Promise<FoldPage | undefined> {
    return pageOf(query, await this.#find(taskId, query));
  }

  async #find(taskId: string, query: FoldQuery): Promise<FoldsRow> {
    const { seriesId } = query;
    if (seriesId !== undefined) return await this.#ask(taskId, query, "one series", seriesId);
    const plan = this.#plans.get(taskId);
    if (plan === undefined) {
      const row = await this.#ask(taskId, query, "among series, counted");
      if (row.series !== null) this.#plan(taskId, planFor(row.series));
      return row;
    }
    if (plan.amongSeries === 0) {
      const row = await this.#ask(taskId, query, "along the log", plan.steps);
      if (hasLookedFarEnough(query, row, plan.steps)) return row;
      this.#plan(taskId, { ...plan, amongSeries: PAGES_AMONG_SERIES });
    } else {
      const amongSeries = plan.amongSeries - 1;
      this.#plan(taskId, amongSeries === 0 ? undefined : { ...plan, amongSeries });
    }
    return await this.#ask(taskId, query, "among series");
  }

  async #ask(taskId: string, query: FoldQuery, way: Way, ...more: Value[]): Promise<FoldsRow> {
    const { after, through = MAX_INDEX, limit, maxBytes = MAX_BYTES, texts = true } = query;
    const values: Value[] = [taskId, after, through, limit, maxBytes, ...more];
    const [row] = await this.#database.read<FoldsRow>(foldsStatement(way, texts), ...values);
    return answerOf(row);
  }

  #plan(taskId: string, plan: Plan | undefined): void {
    this.#plans.delete(taskId);
    if (plan !== undefined) this.#plans.set(taskId, plan);
    if (this.#plans.size > MAX_KNOWN) this.#plans.delete(this.#plans.keys().next().value!);
  }
}

function planFor(series: number): Plan {
  return {
    amongSeries: series > MANY_SERIES ? 0 : PAGES_AMONG_SERIES,
    steps: Math.floor(series / SERIES_OF_A_STEP),
  };
}

/** Whether a look along the log found all folds that there are, or more than the page takes. */
function hasLookedFarEnough(
  query: FoldQuery,
  { task, found, folds }: FoldsRow,
  steps: number,
): boolean {
  if (task === null || found > (folds?.length ?? 0)) return true;
  const { after } = query;
  if ((task.trimmed_through ?? -1) > after) return false;
  return after + steps >= lastIndex(query, task);
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
    classes,
  };
  if (accField !== null) fold.accField = accField;
  if (isText) fold.text = unescaped(text ?? "");
  return fold;
}
