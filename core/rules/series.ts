import type { SeriesFold, StoredEvent } from "../contracts/records.ts";

/**
 * The newest event of a series with everything that the series says so far. A reader who has this
 * needs none of the events before it.
 */
export function snapshotOf({ mode, accField, newest, text }: SeriesFold): StoredEvent {
  if (mode === "latest" || accField === undefined || text === undefined) {
    return { ...newest, snapshot: true };
  }
  const data = JSON.stringify({ ...JSON.parse(newest.data), [accField]: text });
  return { ...newest, data, snapshot: true };
}
