import type { SeriesFold } from "../contracts/records.ts";
import type { TaskReader } from "../contracts/task_reader.ts";
import type { EventFilter } from "../protocol/event.ts";
import { deltaOf } from "../rules/series.ts";

/** Which series to fold, of which events. */
export interface FoldQuery {
  /** The series. */
  ids: ReadonlySet<string>;
  /** Only events that match. */
  filter: EventFilter;
  /** Only events through this index. */
  through: number;
  /** Events read at a time. */
  pageSize: number;
}

/**
 * Folds series from the events that match a filter, by reading them all. For the rare filter that
 * takes some events of a series and not others; a store's own folds know no filter.
 */
export async function foldByReading(
  store: TaskReader,
  taskId: string,
  { ids, filter, through, pageSize }: FoldQuery,
): Promise<SeriesFold[]> {
  const folds = new Map<string, { fold: SeriesFold; parts: string[] }>();
  for (let after = -1; after < through;) {
    const page = await store.readLog(taskId, { after, through, limit: pageSize, filter });
    if (page === undefined) return [];
    for (const event of page.events) {
      const { seriesId, seriesMode: mode } = event;
      if (seriesId === undefined || !ids.has(seriesId)) continue;
      if (mode !== "latest" && mode !== "accumulate") continue;
      let entry = folds.get(seriesId);
      if (entry === undefined) {
        entry = {
          fold: { seriesId, mode, accField: event.accField, newest: event, classes: [] },
          parts: [],
        };
        folds.set(seriesId, entry);
      }
      entry.fold.newest = event;
      if (mode !== "accumulate") continue;
      const delta = deltaOf(event.data, event.accField ?? "");
      if (delta === undefined) entry.parts = [];
      else entry.parts.push(delta);
      entry.fold.text = delta === undefined ? undefined : "";
    }
    after = page.scannedTo;
  }
  return [...folds.values()].map(({ fold, parts }) =>
    fold.text === undefined ? fold : { ...fold, text: parts.join("") }
  );
}
