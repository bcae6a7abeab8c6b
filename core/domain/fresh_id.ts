import { parseEventId } from "../protocol/ulid.ts";

/** Time in milliseconds for which an id stays closed after its task was released: two hours. */
export const RELEASED_ID_MS = 7_200_000;

/** Maximum age in milliseconds of a fresh ULID: one hour. */
const FRESH_MS = 3_600_000;

/** Tolerance in milliseconds for the clock of the ULID's creator. */
const AHEAD_MS = 60_000;

/**
 * Returns whether an id is a ULID of the last hour. A task with such an id is younger than that, so it
 * is in the short-term store or was released within {@linkcode RELEASED_ID_MS}.
 */
export function isFreshUlid(id: string, nowMs: number): boolean {
  const timestampMs = parseEventId(id)?.timestampMs;
  if (timestampMs === undefined) return false;
  return timestampMs > nowMs - FRESH_MS && timestampMs <= nowMs + AHEAD_MS;
}
