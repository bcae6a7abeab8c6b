import type { SeriesFold, TaskStatus } from "@taskcast/core";
import { readText } from "./blobs.ts";
import type { Database } from "./database.ts";
import { ChangedMeanwhile } from "./errors.ts";
import type { FoldsEnd, FoldValue, Head, Text } from "./values.ts";
import { toStoredEvent } from "./values.ts";

/** Folds in one step. */
const FOLDS_AT_ONCE = 100;

/**
 * Reads the folds of series whose newest event comes after an index, and the length of the log of the
 * same moment.
 *
 * Folds are in the order of their newest events, and the length stands behind the last. A fold that
 * goes on while this reads moves behind everything that was read by then, so it is met again; and the
 * last step reads the length at the same moment as the folds that were the last to move.
 *
 * @throws {ChangedMeanwhile} If that is not so, since the task was removed or is being written to.
 */
export async function readFolds(
  database: Database,
  { life }: Head,
  after: number,
): Promise<{ series: SeriesFold[]; length: number; status: TaskStatus }> {
  const { kv, keys } = database;
  const folds = new Map<string, FoldValue>();
  let end: FoldsEnd | undefined;
  const range = { start: keys.fold(life, after + 1), end: [...keys.foldsEnd(life), 0] };
  for await (const { key, value } of kv.list(range, { batchSize: FOLDS_AT_ONCE })) {
    if (key.at(-1) === true) end = value as FoldsEnd;
    else {
      const fold = value as FoldValue;
      folds.set(fold.seriesId, fold);
    }
  }
  if (end === undefined || end.wide) throw new ChangedMeanwhile();
  const series = await Promise.all(
    [...folds.values()].map((fold) => readFold(database, life, fold)),
  );
  const { length, status } = end;
  return { series, length, status };
}

async function readFold(database: Database, life: string, fold: FoldValue): Promise<SeriesFold> {
  const { seriesId, mode, accField, index, newest, classes } = fold;
  const event = toStoredEvent(index, newest, await readText(database, life, newest.data));
  const whole: SeriesFold = { seriesId, mode, newest: event, classes };
  if (accField !== undefined) whole.accField = accField;
  if (fold.tail !== undefined) whole.text = await readParts(database, life, fold) + fold.tail;
  return whole;
}

/** The parts that a fold had when it was read. More may have come; these are still the same. */
async function readParts(
  database: Database,
  life: string,
  { seriesId, era, parts }: FoldValue,
): Promise<string> {
  if (parts === 0) return "";
  const { kv, keys } = database;
  const prefix = keys.of(life, "part", seriesId, era);
  const found: Promise<string>[] = [];
  for await (const { value } of kv.list({ prefix }, { limit: parts, batchSize: FOLDS_AT_ONCE })) {
    found.push(readText(database, life, value as Text));
  }
  if (found.length < parts) throw new ChangedMeanwhile();
  return (await Promise.all(found)).join("");
}
