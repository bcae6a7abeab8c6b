import type { EventClass, EventDraft, SeriesFold, StoredEvent } from "../contracts/records.ts";
import { MAX_SERIES_CLASSES } from "../contracts/records.ts";
import type { SeriesKind } from "../rules/append.ts";

interface Series extends SeriesKind {
  newest: StoredEvent;
  /** The text in parts; left out while the newest event is the value. */
  parts?: string[];
  classes: EventClass[] | null;
}

/** The series of one task, folded as their events come. */
export class SeriesIndex {
  /** Made with the first series: an empty map takes 184 bytes, of about 1000 for a task. */
  #series?: Map<string, Series>;

  /** What a series began as, or `undefined` for a new one. */
  kindOf(seriesId: string): SeriesKind | undefined {
    return this.#series?.get(seriesId);
  }

  /** Adds an event to its series. Costs what the event brings, however long the series is. */
  add(event: StoredEvent, draft: EventDraft): void {
    const { seriesId, seriesMode: mode, accField } = event;
    if (seriesId === undefined || mode === undefined) return;
    this.#series ??= new Map();
    let series = this.#series.get(seriesId);
    if (series === undefined) {
      series = { mode, accField, newest: event, classes: [] };
      this.#series.set(seriesId, series);
    }
    event.seriesId = series.newest.seriesId;
    series.newest = event;
    if (mode === "keep-all") return;
    this.#addClass(series, event);
    if (mode !== "accumulate") return;
    if (draft.delta === undefined) series.parts = undefined;
    else (series.parts ??= []).push(partOf(event.data, draft.delta, accField));
  }

  /** Forgets a series. */
  delete(seriesId: string): void {
    this.#series?.delete(seriesId);
  }

  /** The folds of those series whose newest event comes after an index. */
  foldsAfter(after: number): SeriesFold[] {
    const folds: SeriesFold[] = [];
    for (const [seriesId, series] of this.#series ?? []) {
      const { mode, accField, newest, classes } = series;
      if (mode === "keep-all" || newest.index <= after) continue;
      folds.push({ seriesId, mode, accField, newest, classes, text: textOf(series) });
    }
    return folds;
  }

  #addClass(series: Series, { type, level }: StoredEvent): void {
    const { classes } = series;
    if (classes === null || classes.some((c) => c.type === type && c.level === level)) return;
    if (classes.length === MAX_SERIES_CLASSES) series.classes = null;
    // A new list, since folds that were given out share the old one.
    else series.classes = [...classes, { type, level }];
  }
}

/**
 * A delta as part of a text. Long ones are cut from the event's data, where they are in it as they
 * are and first or last: engines keep such a cut as a view of 32 bytes, where a text of its own would
 * take the memory of the event once more (measured: 554 bytes for an event with 200 of data, and 402
 * so). It is not searched for: a search takes minutes for texts that are made for it.
 */
function partOf(data: string, delta: string, accField = ""): string {
  if (delta.length < 32) return delta;
  for (const at of [data.length - delta.length - '"}'.length, accField.length + '{"":"'.length]) {
    if (at > 0 && data.startsWith(delta, at)) return data.slice(at, at + delta.length);
  }
  return delta;
}

/** The whole text; what was joined once need not be joined again. */
function textOf(series: Series): string | undefined {
  if (series.parts === undefined) return undefined;
  if (series.parts.length > 1) series.parts = [series.parts.join("")];
  return series.parts[0];
}
