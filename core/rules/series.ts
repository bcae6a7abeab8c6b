import type { EventDraft, SeriesFold, StoredEvent } from "../contracts/records.ts";
import { accumulatedValue } from "../protocol/accumulated.ts";

/**
 * The newest event of a series with everything that the series says so far. A reader who has this
 * needs none of the events before it.
 */
export function snapshotOf({ mode, accField, newest, text }: SeriesFold): StoredEvent {
  if (mode === "latest" || accField === undefined || text === undefined) {
    return { ...newest, snapshot: true };
  }
  const value: unknown = JSON.parse(newest.data);
  // Version 0.1.0 took a string or an array for an object, and folded what it found in it.
  if (accumulatedValue(value, accField) === undefined) return { ...newest, snapshot: true };
  const data = JSON.stringify({ ...value as object, [accField]: text });
  return { ...newest, data, snapshot: true };
}

/** The string in a field of an event's data, or `undefined` if it is none. */
export function deltaOf(data: string, accField: string): string | undefined {
  return accumulatedValue(JSON.parse(data), accField) ?? undefined;
}

/**
 * A stored event as the draft that it was; for a store that keeps what another has numbered. An event
 * of no series is one as it is.
 */
export function draftOfStored(event: StoredEvent): EventDraft {
  const { entropy, type, level, data, seriesId, seriesMode, accField } = event;
  if (seriesId === undefined) return event;
  const draft: EventDraft = { entropy, type, level, data, seriesId, seriesMode, accField };
  if (seriesMode === "accumulate" && accField !== undefined) draft.delta = deltaOf(data, accField);
  return draft;
}
