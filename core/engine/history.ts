import { TaskcastError } from "../protocol/errors.ts";
import type { EventFilter, SeriesFormat } from "../protocol/event.ts";
import type { StoredEvent } from "../contracts/records.ts";
import { collapse } from "../streams/replay/collapse.ts";
import type { EngineContext } from "../context/context.ts";
import { Diverged, isLost } from "../context/diverged.ts";
import { IncarnationReader } from "../readers/incarnation_reader.ts";
import type { Start } from "../streams/resolve_start.ts";
import { cursorAt } from "../streams/log_position.ts";
import { invalidCursor } from "../context/refusals.ts";
import { TaskGone, whileThere } from "../context/task_gone.ts";

/** Which part of a task's history. */
export interface HistoryQuery {
  /** Where it begins. */
  start: Start;
  /** Only what matches. */
  filter: EventFilter;
  /** How accumulate series are told. */
  seriesFormat: SeriesFormat;
  /** Most events. */
  limit: number;
}

/** Part of a task's history. */
export interface HistoryPage {
  /** The events, in index order. */
  events: StoredEvent[];
  /** Where the next page begins; left out on the last. */
  nextCursor?: string;
}

/**
 * Reads the first events after a position.
 *
 * @throws {TaskcastError} `INVALID_CURSOR` for one of a log that the store has lost;
 * `STORE_UNAVAILABLE` when the log is replaced while it is read.
 */
export async function readHistory(
  context: EngineContext,
  query: HistoryQuery,
): Promise<HistoryPage> {
  const { start, seriesFormat } = query;
  // Pages of two logs do not belong together, and nothing in an answer would tell.
  if (start.isLost) throw invalidCursor("the store was restored, and lost what came before it");
  // Without a cursor the history is the log as it was published, unless totals are asked for.
  const collapsed = seriesFormat === "accumulated" || start.partial;
  const read = collapsed ? collapsedHistory : plainHistory;
  const { reader } = context;
  const one = { ...context, reader: new IncarnationReader(reader, start.incarnation) };
  try {
    return await whileThere(reader, start.taskId, () => read(one, query));
  } catch (error) {
    if (!(error instanceof Diverged)) throw error;
    throw new TaskcastError(
      "STORE_UNAVAILABLE",
      `Cannot read the history of task "${start.taskId}": the store was restored meanwhile; ask again`,
    );
  }
}

async function plainHistory(
  { reader, options }: EngineContext,
  { start: { taskId, incarnation, after, entropy }, filter, limit }: HistoryQuery,
): Promise<HistoryPage> {
  const events: StoredEvent[] = [];
  let afterEntropy = entropy;
  let bytes = 0;
  // One more than asked for tells whether there is another page.
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
