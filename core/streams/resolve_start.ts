import type { StoredEvent, TaskHead } from "../contracts/records.ts";
import type { TaskReader } from "../contracts/task_reader.ts";
import type { Cursor } from "../protocol/cursor.ts";
import { decodeCursor, fingerprintOf } from "../protocol/cursor.ts";
import type { EventFilter, Since } from "../protocol/event.ts";
import type { ResumeKind } from "../protocol/stream.ts";
import type { TaskStatus } from "../protocol/status.ts";
import { isTerminal } from "../protocol/status.ts";
import { parseEventId } from "../protocol/ulid.ts";
import { idOf } from "../domain/event_json.ts";
import { matchesEverything } from "../domain/filter.ts";
import { IncarnationReader } from "../readers/incarnation_reader.ts";
import { countBefore } from "../readers/count_before.ts";
import { invalidCursor, taskNotFound, taskReplaced } from "../context/refusals.ts";
import { TaskGone, whileThere } from "../context/task_gone.ts";

/** The start position of a subscription, and the state of the task. */
export interface Start {
  /** The task. */
  taskId: string;
  /** The incarnation of the task. */
  incarnation: string;
  /** Its status. */
  status: TaskStatus;
  /** Number of events in its log. */
  length: number;
  /** The reader has the events through this index; see {@linkcode Start.collapse}. */
  after: number;
  /** The entropy of the event at that index, if known. */
  entropy?: number;
  /** Set if series must be sent as snapshots first. `after` then has the meaning of a partial cursor. */
  collapse: boolean;
  /** Set if the cursor is partial: the reader lacks series that grew after it. */
  partial: boolean;
  /** How the subscription continues from the cursor. */
  resume: ResumeKind;
  /** Set if the cursor's log is lost because the store was restored to an earlier state. */
  isLost: boolean;
  /** Set if the reader has everything, the end included. */
  ended: boolean;
}

/**
 * Resolves the start position of a subscription.
 *
 * If the store was restored to an earlier state and no longer has the cursor's log, the start is
 * `expired`: the reader gets everything that is left, like a late joiner.
 *
 * @param expected The incarnation that the reader may read. @default the current one
 * @throws {TaskcastError} `TASK_NOT_FOUND`; `INVALID_CURSOR` if the cursor is malformed, or belongs to
 * another task or incarnation.
 */
export async function resolveStart(
  store: TaskReader,
  taskId: string,
  since: Since,
  filter: EventFilter,
  expected?: string,
): Promise<Start> {
  const cursor = since.id === undefined ? undefined : decodeCursor(since.id);
  const head = await store.getTask(taskId, cursor?.index);
  if (head === undefined) throw taskNotFound(taskId);
  const { length, trimmedThrough = -1, record: { incarnation, task: { status } } } = head;
  if (expected !== undefined && expected !== incarnation) throw taskReplaced(taskId);
  const base = {
    taskId,
    incarnation,
    status,
    length,
    collapse: false,
    partial: false,
    isLost: false,
    ended: false,
  };
  const one = new IncarnationReader(store, incarnation);
  const find = (index: () => Promise<number>) => whileThere(store, taskId, index);
  // If events after the cursor were trimmed, the reader gets what is left like a late joiner.
  const exact = (after: number): Start =>
    after < trimmedThrough
      ? { ...base, after, collapse: true, resume: "expired" }
      : { ...base, after, resume: "exact" };

  if (since.id !== undefined) {
    if (cursor === undefined) {
      const { id } = since;
      return exact(await find(() => indexOfId(one, head, id)));
    }
    if (cursor.incarnation !== incarnation) throw invalidCursor("it belongs to another task");
    if (isOfLostLog(cursor, head)) return lostStart(head);
    const { entropy } = head;
    switch (cursor.kind) {
      case "exact":
        return { ...exact(cursor.index), entropy };
      case "partial": {
        const resume = cursor.index < trimmedThrough ? "expired" : "collapsed";
        return { ...base, after: cursor.index, entropy, collapse: true, partial: true, resume };
      }
      case "done":
        return { ...exact(cursor.index), entropy, ended: true };
    }
  }
  if (since.index !== undefined) {
    const { index } = since;
    return exact(await find(() => indexOfMatch(one, taskId, filter, index, length)));
  }
  if (since.timestamp !== undefined) {
    const { timestamp } = since;
    return exact(await find(() => lastIndexAt(one, taskId, timestamp, length)));
  }
  return { ...base, after: -1, collapse: true, resume: "start" };
}

/** Returns the start of a reader whose log was lost: everything that is left, as for a late joiner. */
export function lostStart({ length, record: { incarnation, task } }: TaskHead): Start {
  return {
    taskId: task.id,
    incarnation,
    status: task.status,
    length,
    after: -1,
    collapse: true,
    partial: false,
    resume: "expired",
    isLost: true,
    ended: false,
  };
}

/**
 * Returns whether the store has lost the log that a cursor belongs to.
 *
 * @param head Includes the entropy of the event at the cursor.
 */
function isOfLostLog(
  { kind, index, fingerprint }: Cursor,
  { length, entropy, record: { task: { status } } }: TaskHead,
): boolean {
  if (index >= length || (kind === "done" && !isTerminal(status))) return true;
  // Trimmed events have no known entropy, and cursors of version 0.1.0 have no fingerprint.
  if (entropy === undefined || fingerprint === undefined) return false;
  return fingerprintOf(entropy) !== fingerprint;
}

/** Returns the index of the event with an id. */
async function indexOfId(
  store: TaskReader,
  { length, trimmedThrough = -1, record: { task: { id: taskId } } }: TaskHead,
  id: string,
): Promise<number> {
  const parsed = parseEventId(id);
  if (parsed === undefined) throw invalidCursor("it is neither a cursor nor an event's id");
  // An id may contain any 40-bit index, which is more than stores accept.
  const event = parsed.index < length
    ? await firstAfter(store, taskId, parsed.index - 1)
    : undefined;
  // The id of a trimmed event cannot be verified.
  const isTrimmed = parsed.index <= trimmedThrough && event?.index !== parsed.index;
  if (!isTrimmed && (event === undefined || idOf(event) !== id)) {
    throw invalidCursor("the task has no event with this id");
  }
  return parsed.index;
}

/** Returns the index of the `nth` matching event, counted from 0; -1 is before the first. */
async function indexOfMatch(
  store: TaskReader,
  taskId: string,
  filter: EventFilter,
  nth: number,
  length: number,
): Promise<number> {
  const beyond = invalidCursor("since.index is beyond the newest event that matches");
  if (nth === -1) return -1;
  if (matchesEverything(filter)) {
    if (nth >= length) throw beyond;
    return nth;
  }
  // The result is the lowest index with more than `nth` matches at or before it. Many probes in each
  // round keep the number of rounds low: 4 for a million events.
  let low = 0;
  let high = length; // Exclusive; `length` itself means that there is none.
  while (low < high) {
    const step = Math.max(1, Math.ceil((high - low) / 32));
    const probes: number[] = [];
    for (let index = low; index < high; index += step) probes.push(index);
    const counts = await countBefore(store, taskId, filter, probes.map((index) => index + 1));
    const hit = counts.findIndex((count) => count > nth);
    if (hit === -1) low = probes.at(-1)! + 1;
    else {
      high = probes[hit]!;
      if (hit > 0) low = probes[hit - 1]! + 1;
    }
  }
  if (low >= length) throw beyond;
  return low;
}

/** Returns the index of the newest event at or before a time; -1 if there is none. */
async function lastIndexAt(
  store: TaskReader,
  taskId: string,
  timestampMs: number,
  length: number,
): Promise<number> {
  let low = -1; // At or before the time.
  let high = length; // After it.
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    const event = await firstAfter(store, taskId, middle - 1);
    if (event !== undefined && event.timestamp <= timestampMs) low = middle;
    else high = middle;
  }
  return low;
}

async function firstAfter(
  store: TaskReader,
  taskId: string,
  after: number,
): Promise<StoredEvent | undefined> {
  const page = await store.readLog(taskId, { after, limit: 1 });
  if (page === undefined) throw new TaskGone();
  return page.events[0];
}
