import type { Trim } from "../../contracts/log_trimmer.ts";
import type { StoredEvent } from "../../contracts/records.ts";
import type { TaskReader } from "../../contracts/task_reader.ts";
import { RESERVED_TYPE_PREFIX } from "../../protocol/event.ts";

/** Selects the events to delete from a log. */
export interface TrimQuery {
  /** The task. */
  taskId: string;
  /** The incarnation of the task. */
  incarnation: string;
  /** Returns whether rules delete an event. */
  takes: (event: StoredEvent) => boolean;
  /** Number of events read at a time, and maximum number deleted at a time. */
  pageSize: number;
}

/** A `latest` or `accumulate` series in the log. */
interface Series {
  newest: number;
  stays: boolean;
}

/**
 * Finds the events to delete from the log of an ended task, in parts and in order.
 *
 * The server's own events stay, because they document the course of the task, and so does the newest event.
 * A `latest` or `accumulate` series is one value: it is deleted as a whole, or not at all while one of its
 * events stays. So the remaining log reads as before, and no reader gets half of a text.
 */
export async function* findTrims(reader: TaskReader, query: TrimQuery): AsyncGenerator<Trim, void> {
  const seriesOf = new Map<string, Series>();
  let isAny = false;
  for await (const event of events(reader, query)) {
    const takes = query.takes(event);
    isAny ||= takes;
    if (!isFolded(event)) continue;
    const series = seriesOf.get(event.seriesId!);
    if (series === undefined) {
      seriesOf.set(event.seriesId!, { newest: event.index, stays: !takes });
    } else {
      series.newest = event.index;
      series.stays ||= !takes;
    }
  }
  if (!isAny) return;

  const stays = (event: StoredEvent) =>
    isFolded(event) ? seriesOf.get(event.seriesId!)!.stays : !query.takes(event);
  let trim = { indexes: [] as number[], series: [] as string[] };
  for await (const event of events(reader, query)) {
    if (stays(event)) continue;
    trim.indexes.push(event.index);
    const { seriesId } = event;
    // The fold is deleted with the series' last event, so that it is still complete after an interruption.
    if (isFolded(event) && seriesOf.get(seriesId!)!.newest === event.index) {
      trim.series.push(seriesId!);
    }
    if (trim.indexes.length < query.pageSize) continue;
    yield trim;
    trim = { indexes: [], series: [] };
  }
  if (trim.indexes.length > 0) yield trim;
}

/** Returns whether rules may delete an event at all. */
export function mayGo({ index, type }: StoredEvent, newest: number): boolean {
  return index < newest && !type.startsWith(RESERVED_TYPE_PREFIX);
}

function isFolded({ seriesMode }: StoredEvent): boolean {
  return seriesMode === "latest" || seriesMode === "accumulate";
}

/** Reads the events of a log that may be deleted at all, a page at a time. */
async function* events(
  reader: TaskReader,
  { taskId, incarnation, pageSize }: TrimQuery,
): AsyncGenerator<StoredEvent, void> {
  for (let after = -1;;) {
    const page = await reader.readLog(taskId, { after, limit: pageSize });
    if (page === undefined || page.incarnation !== incarnation) return;
    const newest = page.length - 1;
    for (const event of page.events) {
      if (mayGo(event, newest)) yield event;
    }
    after = page.scannedTo;
    if (after >= newest) return;
  }
}
