import type { EventFilter } from "@taskcast/core/protocol";
import type { EventKind, LogQuery, StoredEvent } from "@taskcast/core/adapter";
import { compileFilter, matchesEverything } from "@taskcast/core/adapter";
import type { Level } from "@taskcast/core/protocol";
import { readText } from "../rows/blobs.ts";
import type { Database } from "../connection/database.ts";
import { getAll } from "../connection/database.ts";
import { typeInKey } from "../keys.ts";
import { MAX_BATCH } from "../limits.ts";
import { merged } from "./merged.ts";
import type { ClassValue, EventValue, Head } from "../rows/values.ts";
import { charsOf, toStoredEvent } from "../rows/values.ts";

/** Maximum number of event kinds read in parallel; a filter for more is answered by scanning. */
const MAX_MERGED = 32;

/** Events that a scan reads before it returns what it has. */
const MAX_SCANNED = 2_000;

/** Events read together. */
const AT_ONCE = 100;

/** An event, or only the index that a scan has reached. */
type Seen = { index: number; value?: EventValue };

/** The result of {@linkcode readEvents}. */
export interface ReadEvents {
  events: StoredEvent[];
  scannedTo: number;
  /** The entropy of the event at `scannedTo`, when reading forward. */
  entropy?: number;
  /**
   * Set if nothing is missing. Otherwise events were trimmed or filtered out, or the task is being
   * removed.
   */
  isWhole: boolean;
}

/** Reads the events of a query from the log of a head. */
export async function readEvents(
  database: Database,
  head: Head,
  query: LogQuery,
): Promise<ReadEvents> {
  const { after, limit, maxBytes = Infinity, backward = false } = query;
  const from = Math.max(0, after + 1);
  const to = Math.min(query.through ?? Infinity, head.length - 1);
  const end = backward ? after + 1 : Math.max(to, after);
  const found: { index: number; value: EventValue }[] = [];
  let scannedTo = end;
  let chars = 0;
  if (from <= to) {
    for await (const { index, value } of seen(database, head, query, from, to)) {
      if (value === undefined) {
        scannedTo = index;
        break;
      }
      found.push({ index, value });
      chars += charsOf(value.data);
      if (found.length < limit && chars < maxBytes) continue;
      scannedTo = index;
      break;
    }
  }
  const events = await Promise.all(
    found.map(async ({ index, value }) =>
      toStoredEvent(index, value, await readText(database, head.life, value.data))
    ),
  );
  const last = found.at(-1);
  const entropy = backward
    ? undefined
    : last?.index === scannedTo
    ? last.value.entropy
    : await entropyAt(database, head, scannedTo);
  const looked = from > to ? 0 : Math.abs(scannedTo - (backward ? to : from)) + 1;
  return { events, scannedTo, entropy, isWhole: events.length === looked };
}

/** Returns the entropy of an event; `undefined` if the log has no such event. */
export async function entropyAt(
  { kv, keys }: Database,
  { life: storageId, newest }: Head,
  index: number,
): Promise<number | undefined> {
  if (index < 0) return undefined;
  // Most readers are at the end.
  if (newest?.index === index) return newest.entropy;
  const { value } = await kv.get(keys.event(storageId, index));
  return (value as EventValue | null)?.entropy;
}

async function* seen(
  database: Database,
  head: Head,
  { filter, standalone = false, backward = false, limit }: LogQuery,
  from: number,
  to: number,
): AsyncGenerator<Seen, void> {
  const { kv, keys } = database;
  const { life: storageId } = head;
  if (!matchesEverything(filter)) {
    const classes = await classesOf(database, storageId, filter, standalone);
    if (classes.length > MAX_MERGED) {
      yield* scanned(database, storageId, { filter, standalone, backward }, from, to);
    } else {yield* ofClasses(
        database,
        storageId,
        classes.map(({ no }) => no),
        { backward, limit },
        from,
        to,
      );}
  } else if (standalone) {
    yield* ofClasses(database, storageId, [0], { backward, limit }, from, to);
  } else {
    const range = { start: keys.event(storageId, from), end: keys.event(storageId, to + 1) };
    const batchSize = Math.min(limit, AT_ONCE);
    for await (const { key, value } of kv.list(range, { reverse: backward, batchSize, limit })) {
      yield { index: key.at(-1) as number, value: value as EventValue };
    }
  }
}

/** Yields the events of event kinds, by their ranks. */
async function* ofClasses(
  { kv, keys }: Database,
  storageId: string,
  classes: readonly number[],
  { backward, limit }: { backward: boolean; limit: number },
  from: number,
  to: number,
): AsyncGenerator<Seen, void> {
  const batchSize = Math.min(
    MAX_BATCH,
    Math.max(8, Math.ceil(limit / Math.max(1, classes.length))),
  );
  const lists = classes.map(async function* (no) {
    const range = { start: keys.rank(storageId, no, from), end: keys.rank(storageId, no, to + 1) };
    for await (const { key } of kv.list(range, { reverse: backward, batchSize })) {
      yield key.at(-1) as number;
    }
  });
  let wanted: number[] = [];
  let left = limit;
  for await (const index of merged(lists, (a, b) => backward ? b - a : a - b)) {
    wanted.push(index);
    if (wanted.length < Math.min(left, AT_ONCE)) continue;
    yield* await fetched(wanted);
    left = Math.max(1, left - wanted.length);
    wanted = [];
  }
  yield* await fetched(wanted);

  async function fetched(indexes: readonly number[]): Promise<Seen[]> {
    const entries = await getAll(kv, indexes.map((index) => keys.event(storageId, index)));
    // A missing event has just been trimmed.
    return entries.flatMap(({ value }, at) =>
      value === null ? [] : [{ index: indexes[at]!, value: value as EventValue }]
    );
  }
}

/** Yields the events that a scan of all events finds, up to a limit. */
async function* scanned(
  { kv, keys }: Database,
  storageId: string,
  { filter, standalone, backward }: {
    filter?: EventFilter;
    standalone: boolean;
    backward: boolean;
  },
  from: number,
  to: number,
): AsyncGenerator<Seen, void> {
  const matches = compileFilter(filter);
  const range = { start: keys.event(storageId, from), end: keys.event(storageId, to + 1) };
  const options = { reverse: backward, batchSize: AT_ONCE, limit: MAX_SCANNED };
  let count = 0;
  let index = from;
  for await (const entry of kv.list(range, options)) {
    const value = entry.value as EventValue;
    index = entry.key.at(-1) as number;
    count++;
    const isPlain = value.mode === undefined || value.mode === "keep-all";
    if (matches(value) && (isPlain || !standalone)) yield { index, value };
  }
  if (count === MAX_SCANNED) yield { index };
}

/** Returns the numbers of the event kinds of a log that match. */
export async function classesOf(
  { kv, keys }: Database,
  storageId: string,
  filter: EventFilter | undefined,
  plainOnly: boolean,
): Promise<(ClassValue & EventKind)[]> {
  const matches = compileFilter(filter);
  const found: (ClassValue & EventKind)[] = [];
  const list = kv.list({ prefix: keys.of(storageId, "class") }, { batchSize: MAX_BATCH });
  for await (const { key, value } of list) {
    const [text, level, isPlain] = key.slice(-3) as [string, Level, boolean];
    if (plainOnly && !isPlain) continue;
    const named = { ...value as ClassValue, type: typeInKey(text), level };
    if (matches(named)) found.push(named);
  }
  return found;
}
