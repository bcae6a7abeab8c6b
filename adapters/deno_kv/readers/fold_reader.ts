import type { FoldPage, FoldQuery, SeriesFold } from "@taskcast/core/adapter";
import { readText } from "../rows/blobs.ts";
import type { Database } from "../connection/database.ts";
import { ChangedMeanwhile } from "../errors.ts";
import { CHUNK_CHARS } from "../limits.ts";
import type { FoldsEnd, FoldValue, Head, SeriesValue, Text } from "../rows/values.ts";
import { toStoredEvent } from "../rows/values.ts";

/** Folds, or parts of a text, read in one step. */
const FOLDS_AT_ONCE = 100;

/** A page of folds without data of the task. */
type Folds = Omit<FoldPage, "incarnation">;

/**
 * Reads folds in the order of their newest events, and the length of the log at the same moment.
 *
 * Keys have that order, and the length comes after the last fold. A fold that continues during the
 * read moves behind everything read so far, so it is met again; and the last step reads the length
 * at the same moment as the last moved folds. Except for the last page, it is enough to know that
 * more follows.
 *
 * @throws {ChangedMeanwhile} If the result is inconsistent, because the task was removed or is
 *   being written.
 */
export async function readFolds(
  database: Database,
  head: Head,
  query: FoldQuery,
): Promise<Folds> {
  if (query.seriesId !== undefined) return await readOne(database, head, query, query.seriesId);
  const { kv, keys } = database;
  const { life: storageId } = head;
  const { after, through = Infinity, limit, maxBytes = Infinity } = query;
  const folds = new Map<string, FoldValue>();
  let end: FoldsEnd | undefined;
  let bytes = 0;
  let stop: "full" | "through" | undefined;
  const range = { start: keys.fold(storageId, after + 1), end: [...keys.foldsEnd(storageId), 0] };
  // One extra fold shows whether there are more, and the end may follow it.
  const batchSize = Math.min(limit + 2, FOLDS_AT_ONCE);
  for await (const { key, value } of kv.list(range, { batchSize })) {
    if (key.at(-1) === true) end = value as FoldsEnd;
    else {
      const fold = value as FoldValue;
      folds.delete(fold.seriesId);
      if (fold.index > through) stop = "through";
      else if (folds.size === limit || bytes >= maxBytes) stop = "full";
      if (stop !== undefined) break;
      folds.set(fold.seriesId, fold);
      const { newest: { data }, tail = "" } = fold;
      bytes += (typeof data === "string" ? data.length : 0) + tail.length;
    }
  }
  if (stop !== undefined) {
    end = (await kv.get(keys.foldsEnd(storageId))).value as FoldsEnd | null ?? undefined;
  }
  if (end === undefined || end.wide) throw new ChangedMeanwhile();
  const { length, status } = end;
  const wanted = [...folds.values()];
  const read = await readWithin(database, storageId, wanted, query);
  const isWhole = read.length === wanted.length && stop !== "full";
  const scannedTo = isWhole
    ? Math.max(after, Math.min(through, length - 1))
    : read.at(-1)!.newest.index;
  return { folds: read, scannedTo, length, status };
}

/** Reads texts in order until they reach the byte limit of a page; small ones in parallel. */
async function readWithin(
  database: Database,
  storageId: string,
  folds: readonly FoldValue[],
  { maxBytes = Infinity, texts = true }: FoldQuery,
): Promise<SeriesFold[]> {
  const read: SeriesFold[] = [];
  let bytes = 0;
  for (let at = 0; at < folds.length && bytes < maxBytes;) {
    let next = at;
    for (let most = 0; next < folds.length && (next === at || bytes + most < maxBytes); next++) {
      const { parts, tail = "" } = folds[next]!;
      most += texts ? parts * CHUNK_CHARS + tail.length : 0;
    }
    const some = folds.slice(at, next).map((fold) => readFold(database, storageId, fold, texts));
    for (const fold of await Promise.all(some)) {
      if (bytes >= maxBytes) break;
      bytes += fold.newest.data.length + (fold.text?.length ?? 0);
      read.push(fold);
    }
    at = next;
  }
  return read;
}

async function readOne(
  database: Database,
  head: Head,
  { after, through = Infinity, texts = true }: FoldQuery,
  seriesId: string,
): Promise<Folds> {
  const { kv, keys } = database;
  const { life: storageId } = head;
  const { newest } = (await kv.get(keys.series(storageId, seriesId))).value as SeriesValue | null ??
    {};
  const [fold, end] = await kv.getMany([
    keys.fold(storageId, newest ?? -1),
    keys.foldsEnd(storageId),
  ]);
  const found = fold!.value as FoldValue | null;
  const state = end!.value as FoldsEnd | null;
  if (state === null || state.wide) throw new ChangedMeanwhile();
  if (newest !== undefined && found === null) throw new ChangedMeanwhile();
  const isWanted = found !== null && found.index > after && found.index <= through;
  const { length, status } = state;
  return {
    folds: isWanted ? [await readFold(database, storageId, found, texts)] : [],
    scannedTo: Math.max(after, Math.min(through, length - 1)),
    length,
    status,
  };
}

async function readFold(
  database: Database,
  storageId: string,
  fold: FoldValue,
  withText: boolean,
): Promise<SeriesFold> {
  const { seriesId, mode, accField, index, newest, classes } = fold;
  const event = toStoredEvent(index, newest, await readText(database, storageId, newest.data));
  const whole: SeriesFold = { seriesId, mode, newest: event, eventKinds: classes };
  if (accField !== undefined) whole.accField = accField;
  if (withText && fold.tail !== undefined) {
    whole.text = await readParts(database, storageId, fold) + fold.tail;
  }
  return whole;
}

/**
 * Reads the parts that a fold had when it was read. Later parts may exist; these have not changed.
 */
async function readParts(
  database: Database,
  storageId: string,
  { seriesId, era, parts }: FoldValue,
): Promise<string> {
  if (parts === 0) return "";
  const { kv, keys } = database;
  const prefix = keys.of(storageId, "part", seriesId, era);
  const found: Promise<string>[] = [];
  for await (const { value } of kv.list({ prefix }, { limit: parts, batchSize: FOLDS_AT_ONCE })) {
    found.push(readText(database, storageId, value as Text));
  }
  if (found.length < parts) throw new ChangedMeanwhile();
  return (await Promise.all(found)).join("");
}
