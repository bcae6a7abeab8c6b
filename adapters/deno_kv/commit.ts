import type {
  Commit,
  CommitResult,
  CommitState,
  EventDraft,
  Refusal,
  StoredEvent,
} from "@taskcast/core/adapter";
import { checkCommit, WORK_KINDS } from "@taskcast/core/adapter";
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
    /** The drafts that are new. */
    fresh: readonly EventDraft[];
    from: number;
    length: number;
    hooked: boolean;
  };

/** Returns the index of an event that a producer sent before its current run. */
export type IndexOfSent = (producerId: string, seq: number) => number;

/** Plans a commit on a copy of the state, for which everything that the commit needs is loaded. */
export function planCommit(
  keys: Keys,
  state: TaskState,
  changes: Changes,
  commit: Commit,
  { indexOf, isClosed }: { indexOf: IndexOfSent; isClosed: boolean },
): CommitPlan {
  const checked = checkCommit(commitStateOf(state, indexOf), commit, isClosed);
  if ("code" in checked) return { ok: false, refusal: checked };
  const { repeats } = checked;
  const fresh = commit.events.filter((_, at) => repeats[at] === undefined);
  const isChange = commit.record !== undefined || fresh.length > 0;
  if (commit.record !== undefined) writeRecord(keys, state, changes, commit);
  const from = state.head!.length;
  const events = commit.events.map((draft, at): StoredEvent | number => {
    const repeated = repeats[at];
    if (repeated !== undefined) return repeated;
    const index = state.head!.length;
    const value = append(keys, state, changes, prepare(draft, changes), commit.nowMs);
    return toStoredEvent(index, value, draft.data);
  });
  if (isChange) {
    scheduleWork(keys, state, changes, commit);
    setHead(keys, state, changes);
  }
  const { length, hooked } = state.head!;
  return { ok: true, events, fresh, from, length, hooked };
}

/**
 * Begins a commit that is too large for one operation: writes everything but its events, which are
 * stored as drafts and appended from there.
 */
export function beginOversized(
  keys: Keys,
  state: TaskState,
  changes: Changes,
  commit: Commit,
  fresh: readonly EventDraft[],
): void {
  if (commit.record !== undefined) writeRecord(keys, state, changes, commit);
  scheduleWork(keys, state, changes, commit);
  const prepared = fresh.map((draft) => prepare(draft, changes));
  const drafts = changes.aside(JSON.stringify(prepared));
  state.head = { ...state.head!, wide: { drafts, nowMs: commit.nowMs, next: 0 } };
  setHead(keys, state, changes);
}

/** Returns the result of a plan, once it is written and the events that it repeats are read. */
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

/** Returns a loaded task as {@linkcode checkCommit} looks at it. */
function commitStateOf(
  { head, series, producers }: TaskState,
  indexOf: IndexOfSent,
): CommitState | undefined {
  if (head === undefined) return undefined;
  const { incarnation, version, status, length, dataChars, lease, due } = head;
  return {
    incarnation,
    version,
    status,
    length,
    dataBytes: dataChars,
    lease,
    leaseDueMs: due.lease,
    seriesKind: (id) => series.get(id)?.series,
    producer(id) {
      const known = producers.get(id);
      if (known === undefined) return undefined;
      const { epoch, nextSeq, run } = known;
      return {
        epoch,
        nextSeq,
        indexOf: (seq) => seq >= run.seq ? run.index + seq - run.seq : indexOf(id, seq),
      };
    },
    // Not known here: the store refuses the commit when it finds no event to repeat.
    isTrimmed: () => false,
  };
}

function scheduleWork(keys: Keys, state: TaskState, changes: Changes, commit: Commit): void {
  const head = state.head!;
  const marks = { ...head.marks };
  for (const kind of WORK_KINDS) {
    const atMs = commit.schedule?.[kind];
    if (atMs === undefined || marks[kind] !== undefined) continue;
    if (kind === "deliver" && !head.hooked) continue;
    marks[kind] = atMs;
    changes.set(keys.work(kind, atMs, state.taskId), true);
  }
  state.head = { ...head, marks };
}
