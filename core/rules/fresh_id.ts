import { parseEventId } from "../protocol/ulid.ts";

/** Milliseconds for which an id stays closed behind a task that was released: two hours. */
export const RELEASED_ID_MS = 7_200_000;

/** Milliseconds since the time of a ULID for which it counts as fresh: an hour. */
const FRESH_MS = 3_600_000;

/** Milliseconds by which the clock of whoever made it may be ahead. */
const AHEAD_MS = 60_000;

/**
 * Whether an id is a ULID of the last hour. A task that has had it is younger than that, so it is in
 * the short-term store or was released within {@linkcode RELEASED_ID_MS}.
 */
export function isFreshUlid(id: string, nowMs: number): boolean {
  const timestampMs = parseEventId(id)?.timestampMs;
  if (timestampMs === undefined) return false;
  return timestampMs > nowMs - FRESH_MS && timestampMs <= nowMs + AHEAD_MS;
}
