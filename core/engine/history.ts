import { encodeCursor } from "../protocol/cursor.ts";
import type { EventFilter, SeriesFormat } from "../protocol/event.ts";
import type { StoredEvent } from "../contracts/records.ts";
import { collapse } from "./collapse.ts";
import type { EngineContext } from "./context.ts";
import type { Start } from "./locate.ts";

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

/** Reads the first events after a position. */
export async function readHistory(
  context: EngineContext,
  query: HistoryQuery,
): Promise<HistoryPage> {
  const { start, seriesFormat } = query;
  // Without a cursor the history is the log as it was published, unless totals are asked for.
  const collapsed = seriesFormat === "accumulated" || start.partial;
  return await (collapsed ? collapsedHistory : plainHistory)(context, query);
}

async function plainHistory(
  { reader, options }: EngineContext,
  { start: { taskId, incarnation, after }, filter, limit }: HistoryQuery,
): Promise<HistoryPage> {
  const events: StoredEvent[] = [];
  let bytes = 0;
  // One more than asked for tells whether there is another page.
  for (let position = after; events.length <= limit && bytes < options.historyBytes;) {
    const wanted = Math.min(options.pageSize, limit + 1 - events.length);
    const page = await reader.readLog(taskId, { after: position, limit: wanted, filter });
    if (page === undefined || page.incarnation !== incarnation) return { events };
    for (const event of page.events) {
      events.push(event);
      bytes += event.data.length;
    }
    position = page.scannedTo;
    if (position >= page.length - 1) {
      if (events.length <= limit) return { events };
      break;
    }
  }
  events.length = Math.min(events.length, limit);
  const index = events.at(-1)!.index;
  return { events, nextCursor: encodeCursor({ kind: "exact", incarnation, index }) };
}

async function collapsedHistory(
  { reader, options }: EngineContext,
  { start: { taskId, incarnation, after }, filter, seriesFormat, limit }: HistoryQuery,
): Promise<HistoryPage> {
  const events: StoredEvent[] = [];
  let nextCursor: string | undefined;
  let bytes = 0;
  const pages = collapse(reader, {
    taskId,
    incarnation,
    after,
    filter,
    whole: seriesFormat === "accumulated",
    pageSize: Math.min(options.pageSize, limit + 1),
    pageBytes: options.pageBytes,
  });
  for await (const { frames } of pages) {
    for (const { event, cursor } of frames) {
      if (events.length === limit || bytes >= options.historyBytes) return { events, nextCursor };
      events.push(event);
      bytes += event.data.length;
      nextCursor = cursor;
    }
  }
  return { events };
}
