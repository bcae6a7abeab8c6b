import type { EventDraft, EventKind, SeriesFold, StoredEvent } from "../contracts/records.ts";
import { MAX_SERIES_KINDS } from "../contracts/records.ts";
import { accumulatedValue } from "../protocol/accumulated.ts";

/**
 * Returns the newest event of a series with the value of the whole series. A reader that has it needs
 * no earlier event of the series.
 */
export function snapshotOf({ mode, accField, newest, text }: SeriesFold): StoredEvent {
  if (mode === "latest" || accField === undefined || text === undefined) {
    return { ...newest, snapshot: true };
  }
  const value: unknown = JSON.parse(newest.data);
  // Version 0.1.0 treated strings and arrays as objects, and folded the fields it found in them.
  if (accumulatedValue(value, accField) === undefined) return { ...newest, snapshot: true };
  const data = JSON.stringify({ ...value as object, [accField]: text });
  return { ...newest, data, snapshot: true };
}

/** Returns the string in a field of an event's data, or `undefined` if there is none. */
export function deltaOf(data: string, accField: string): string | undefined {
  return accumulatedValue(JSON.parse(data), accField) ?? undefined;
}

/**
 * Converts a stored event back to a draft, for a store that copies events numbered by another. An event
 * without a series already is a valid draft.
 */
export function draftOfStored(event: StoredEvent): EventDraft {
  const { entropy, type, level, data, seriesId, seriesMode, accField } = event;
  if (seriesId === undefined) return event;
  const draft: EventDraft = { entropy, type, level, data, seriesId, seriesMode, accField };
  if (seriesMode === "accumulate" && accField !== undefined) draft.delta = deltaOf(data, accField);
  return draft;
}

/**
 * Returns the event kinds of a fold after one more event: the same list if they include its kind, and
 * `null` once there are more than {@linkcode MAX_SERIES_KINDS}. The list given is not changed.
 */
export function withEventKind(
  kinds: EventKind[] | null,
  { type, level }: EventKind,
): EventKind[] | null {
  if (kinds === null) return null;
  // A loop, as this runs for each event of a series, and `some` would need a closure.
  for (let i = 0; i < kinds.length; i++) {
    const known = kinds[i]!;
    if (known.type === type && known.level === level) return kinds;
  }
  return kinds.length === MAX_SERIES_KINDS ? null : [...kinds, { type, level }];
}
