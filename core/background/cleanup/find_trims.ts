import type { Trim } from "../../contracts/log_trimmer.ts";
import type { StoredEvent } from "../../contracts/records.ts";
import type { TaskReader } from "../../contracts/task_reader.ts";
import { RESERVED_TYPE_PREFIX } from "../../protocol/event.ts";

/** Which events of which log are to go. */
export interface TrimQuery {
  /** The task. */
  taskId: string;
  /** This life of its id. */
  incarnation: string;
  /** Whether an event is to go. */
  takes: (event: StoredEvent) => boolean;
  /** Events read at a time, and removed at a time at most. */
  pageSize: number;
}

/** What is known of a `latest` or `accumulate` series. */
interface Series {
  newest: number;
  stays: boolean;
}

/**
 * Finds what is to go from the log of an ended task, in parts, in order.
 *
 * The server's own events stay, since they say how the task went, and so does the newest. A `latest`
 * or `accumulate` series is one value: it goes as a whole, or, while one of its events stays, not at
 * all. So what is left reads as it did before, and nobody is told half of a text.
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
    // Its fold goes with the last of its events: should we be cut off before, it is still whole.
    if (isFolded(event) && seriesOf.get(seriesId!)!.newest === event.index) {
      trim.series.push(seriesId!);
    }
    if (trim.indexes.length < query.pageSize) continue;
    yield trim;
    trim = { indexes: [], series: [] };
  }
  if (trim.indexes.length > 0) yield trim;
}

/** Whether rules may take an event at all. */
export function mayGo({ index, type }: StoredEvent, newest: number): boolean {
  return index < newest && !type.startsWith(RESERVED_TYPE_PREFIX);
}

function isFolded({ seriesMode }: StoredEvent): boolean {
  return seriesMode === "latest" || seriesMode === "accumulate";
}

/** The events of a log that may go at all, a page at a time. */
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
