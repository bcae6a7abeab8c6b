import type {
  Commit,
  CommitResult,
  EventDraft,
  Refusal,
  StoredEvent,
} from "@taskcast/core/adapter";
import {
  checkProducers,
  checkSeries,
  isLive,
  isReplaced,
  WORK_KINDS,
} from "@taskcast/core/adapter";
import { isTerminal } from "@taskcast/core/protocol";
import { append, prepare } from "./append.ts";
import type { Changes } from "./rows/changes.ts";
import type { Keys } from "./keys.ts";
import { setHead, writeRecord } from "./rows/record.ts";
import type { TaskState } from "./rows/task_state.ts";
import { toStoredEvent } from "./rows/values.ts";

/** Outcome of planning a commit. */
export type CommitPlan =
  | { ok: false; refusal: Refusal }
  | {
    ok: true;
    /** Stored events; for a repetition the index of the original. */
    events: (StoredEvent | number)[];
    /** The drafts that are appended. */
    fresh: readonly EventDraft[];
    from: number;
    length: number;
    hooked: boolean;
  };

/** The index of the event with a producer's sequence number, if it must be looked up. */
export type IndexOfSent = (producerId: string, seq: number) => number;

/** Works a commit out on a copy of the state for which everything about it is loaded. */
export function planCommit(
  keys: Keys,
  state: TaskState,
  changes: Changes,
  commit: Commit,
  indexOf: IndexOfSent,
): CommitPlan {
  const checked = checkCommit(state, commit, indexOf);
  if (!Array.isArray(checked)) return { ok: false, refusal: checked };
  const fresh = commit.events.filter((_, at) => checked[at] === undefined);
  const isChange = commit.record !== undefined || fresh.length > 0;
  if (commit.record !== undefined) writeRecord(keys, state, changes, commit);
  const from = state.head!.length;
  const events = commit.events.map((draft, at): StoredEvent | number => {
    const repeated = checked[at];
    if (repeated !== undefined) return repeated;
    const index = state.head!.length;
    const value = append(keys, state, changes, prepare(draft, changes), commit.nowMs);
    return toStoredEvent(index, value, draft.data);
  });
  if (isChange) {
    markForWork(keys, state, changes, commit);
    setHead(keys, state, changes);
  }
  const { length, hooked } = state.head!;
  return { ok: true, events, fresh, from, length, hooked };
}

/**
 * Begins a commit that is too big for one operation: everything but its events, which are put aside
 * and written out from there.
 */
export function beginWide(
  keys: Keys,
  state: TaskState,
  changes: Changes,
  commit: Commit,
  fresh: readonly EventDraft[],
): void {
  if (commit.record !== undefined) writeRecord(keys, state, changes, commit);
  markForWork(keys, state, changes, commit);
  const prepared = fresh.map((draft) => prepare(draft, changes));
  const drafts = changes.aside(JSON.stringify(prepared));
  state.head = { ...state.head!, wide: { drafts, nowMs: commit.nowMs, next: 0 } };
  setHead(keys, state, changes);
}

/** The result of a plan, once it is carried out and what it repeats is read. */
export function resultOf(
  plan: Extract<CommitPlan, { ok: true }>,
  repeated: (index: number) => StoredEvent,
): CommitResult {
  const { from, length, hooked } = plan;
  const stored = new Map<number, StoredEvent>();
  for (const event of plan.events) if (typeof event !== "number") stored.set(event.index, event);
  const events = plan.events.map((event) =>
    typeof event === "number" ? stored.get(event) ?? repeated(event) : event
  );
  return { ok: true, events, from, length, ...(hooked ? { hooked } : {}) };
}

/** Which drafts repeat what, or why the commit is refused. */
function checkCommit(
  { head, series, producers }: TaskState,
  { expect, events, record, maxEvents, maxBytes }: Commit,
  indexOf: IndexOfSent,
): (number | undefined)[] | Refusal {
  if (expect === "absent") {
    return head === undefined ? events.map(() => undefined) : { code: "EXISTS" };
  }
  if (head === undefined) return { code: "ABSENT" };
  if (isReplaced(expect, head.incarnation)) return { code: "REPLACED" };
  if (!isLive(expect)) {
    const isThere = head.version === expect.version && head.incarnation === expect.incarnation;
    return isThere && record !== undefined ? events.map(() => undefined) : { code: "CONFLICT" };
  }
  const checked = checkProducers(events, head.length, (id) => {
    const known = producers.get(id);
    if (known === undefined) return undefined;
    const { epoch, nextSeq, run } = known;
    return {
      epoch,
      nextSeq,
      indexOf: (seq) => seq >= run.seq ? run.index + seq - run.seq : indexOf(id, seq),
    };
  });
  if ("code" in checked) return checked;
  const { repeats } = checked;
  const fresh = events.filter((_, at) => repeats[at] === undefined);
  if (fresh.length === 0) return repeats;
  if (isTerminal(head.status)) return { code: "TERMINAL", status: head.status };
  const conflict = checkSeries(events, repeats, (id) => series.get(id)?.series);
  if (conflict !== undefined) return conflict;
  const chars = fresh.reduce((sum, { data }) => sum + data.length, head.dataChars);
  if (head.length + fresh.length > maxEvents || chars > maxBytes) return { code: "TASK_FULL" };
  return repeats;
}

function markForWork(keys: Keys, state: TaskState, changes: Changes, commit: Commit): void {
  const head = state.head!;
  const marks = { ...head.marks };
  for (const kind of WORK_KINDS) {
    const atMs = commit.marks?.[kind];
    if (atMs === undefined || marks[kind] !== undefined) continue;
    if (kind === "deliver" && !head.hooked) continue;
    marks[kind] = atMs;
    changes.set(keys.work(kind, atMs, state.taskId), true);
  }
  state.head = { ...head, marks };
}
