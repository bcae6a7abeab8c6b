import { TaskcastError } from "../../protocol/errors.ts";
import type { EventFilter, SeriesFormat } from "../../protocol/event.ts";
import type { StoredEvent } from "../../contracts/records.ts";
import { collapse } from "../../streams/replay/collapse.ts";
import type { EngineContext } from "../../context/context.ts";
import { Diverged, isLost } from "../../context/diverged.ts";
import { IncarnationReader } from "../../readers/incarnation_reader.ts";
import type { Start } from "../../streams/resolve_start.ts";
import { resolveStart } from "../../streams/resolve_start.ts";
import { cursorAt } from "../../streams/log_position.ts";
import { invalidCursor } from "../../context/refusals.ts";
import { TaskGone, whileThere } from "../../context/task_gone.ts";
import {
  assertCount,
  assertFilter,
  assertOptions,
  assertSeriesFormat,
  assertSince,
} from "../../domain/validate/query.ts";
import { assertIncarnation } from "../../domain/validate/task.ts";
import { BOUNDS } from "../../protocol/limits.ts";
import { assertTaskId } from "../../protocol/task_id.ts";
import type { HistoryOptions } from "../options.ts";

/** A part of a task's history, with a resolved start. */
interface HistoryQuery {
  /** The position at which it starts. */
  start: Start;
  /** Returns only matching events. */
  filter: EventFilter;
  /** The format of `accumulate` series. */
  seriesFormat: SeriesFormat;
  /** Maximum number of events. */
  limit: number;
}

/** A page of a task's history. */
export interface HistoryPage {
  /** The events, in index order. */
  events: StoredEvent[];
  /** The cursor at which the next page starts; left out on the last page. */
  nextCursor?: string;
}

/**
 * Reads the first events after a position.
 *
 * @throws {TaskcastError} `TASK_NOT_FOUND`, `INVALID_INPUT`; `INVALID_CURSOR`, also if the store has lost
 * the cursor's log; `STORE_UNAVAILABLE`, also if the log is replaced during the read.
 */
export async function readHistory(
  context: EngineContext,
  taskId: string,
  options: HistoryOptions,
): Promise<HistoryPage> {
  assertTaskId(taskId);
  assertOptions(options);
  const { filter = {}, since = {}, limit = 1000, seriesFormat = "delta", incarnation } = options;
  assertIncarnation(incarnation);
  assertFilter(filter);
  assertSince(since);
  assertSeriesFormat(seriesFormat);
  assertCount(limit, "limit", 1, BOUNDS.historyPage);
  const { reader } = context;
  const start = await resolveStart(reader, taskId, since, filter, incarnation);
  // Pages of two logs must not be mixed, and nothing in the response would reveal it.
  if (start.isLost) throw invalidCursor("the store was restored, and lost what came before it");
  // Without a cursor the history is the log as it was published, unless whole series are requested.
  const isCollapsed = seriesFormat === "accumulated" || start.partial;
  const read = isCollapsed ? collapsedHistory : publishedHistory;
  const query = { start, filter, seriesFormat, limit };
  const ofIncarnation = { ...context, reader: new IncarnationReader(reader, start.incarnation) };
  try {
    return await whileThere(reader, taskId, () => read(ofIncarnation, query));
  } catch (error) {
    if (!(error instanceof Diverged)) throw error;
    throw new TaskcastError(
      "STORE_UNAVAILABLE",
      `Cannot read the history of task "${taskId}": the store was restored meanwhile; ask again`,
    );
  }
}

/** Returns the events as they were published. */
async function publishedHistory(
  { reader, options }: EngineContext,
  { start: { taskId, incarnation, after, entropy }, filter, limit }: HistoryQuery,
): Promise<HistoryPage> {
  const events: StoredEvent[] = [];
  let afterEntropy = entropy;
  let bytes = 0;
  // One event more than requested shows whether there is another page.
  for (let position = after; events.length <= limit && bytes < options.historyBytes;) {
    const wanted = Math.min(options.pageSize, limit + 1 - events.length);
    const query = { after: position, afterEntropy, limit: wanted, filter };
    const page = await reader.readLog(taskId, query);
    if (page === undefined) throw new TaskGone();
    if (isLost(page, position)) throw new Diverged();
    for (const event of page.events) {
      events.push(event);
      bytes += event.data.length;
    }
    position = page.scannedTo;
    afterEntropy = page.entropy;
    if (position >= page.length - 1) {
      if (events.length <= limit) return { events };
      break;
    }
  }
  events.length = Math.min(events.length, limit);
  const { index: through, entropy: newest } = events.at(-1)!;
  return { events, nextCursor: cursorAt("exact", incarnation, { through, entropy: newest }) };
}

/** Returns each series folded into its newest event. */
async function collapsedHistory(
  { reader, options }: EngineContext,
  { start: { taskId, incarnation, after, entropy }, filter, seriesFormat, limit }: HistoryQuery,
): Promise<HistoryPage> {
  const events: StoredEvent[] = [];
  let nextCursor: string | undefined;
  let bytes = 0;
  let isWhole = false;
  const pages = collapse(reader, {
    taskId,
    incarnation,
    after,
    entropy,
    filter,
    whole: seriesFormat === "accumulated",
    pageSize: Math.min(options.pageSize, limit + 1),
    pageBytes: options.pageBytes,
  });
  for await (const { frames, through } of pages) {
    for (const { event, cursor } of frames) {
      if (events.length === limit || bytes >= options.historyBytes) return { events, nextCursor };
      events.push(event);
      bytes += event.data.length;
      nextCursor = cursor;
    }
    isWhole = through !== undefined;
  }
  if (!isWhole) throw new TaskGone();
  return { events };
}
