import type { EventDraft, TaskRevision } from "../../contracts/records.ts";
import type { Commit, Refusal, VersionExpectation } from "../../contracts/short_term_store.ts";
import type { TaskStatus } from "../../protocol/status.ts";
import { isTerminal } from "../../protocol/status.ts";
import type { KnownProducer, ProducerCheck, SeriesKind } from "./append.ts";
import { checkProducers, checkSeries } from "./append.ts";
import { isLive, isReplaced } from "./expectation.ts";
import { isAtRevision } from "../revision.ts";

/** The state of a stored task that decides whether it takes a commit. */
export interface CommitState extends Readonly<TaskRevision> {
  /** The status of the task. */
  readonly status: TaskStatus;
  /** Bytes of data in the log, without the events that were removed. */
  readonly dataBytes: number;
  /** The token of the task's lease. */
  readonly lease: string | undefined;
  /** The expiry of the task's lease; Unix milliseconds. */
  readonly leaseDueMs: number | undefined;
  /** Looks up a producer. */
  producer(id: string): KnownProducer | undefined;
  /** Looks up a series. */
  seriesKind(id: string): SeriesKind | undefined;
  /** Returns whether the event that a producer sends again has been removed from the log. */
  isTrimmed(index: number): boolean;
}

const NO_REPEATS: ProducerCheck = { repeats: [], progress: new Map() };

/**
 * Decides whether a store takes a commit, and which of its drafts repeat stored events.
 *
 * The order of the checks is part of the contract: a commit that could be refused for two reasons gets
 * the same refusal from every store. `commit.lua` and
 * `publish.lua` of the Redis adapter mirror this function.
 *
 * @param state The stored task; `undefined` if there is none.
 * @param isClosed Whether a tombstone closes the id.
 * @returns The refusal, or the repetitions. If no draft has a producer, `repeats` is empty.
 */
export function checkCommit(
  state: CommitState | undefined,
  commit: Commit,
  isClosed = false,
): ProducerCheck | Refusal {
  const { expect, events } = commit;
  if (expect === "absent") {
    return state === undefined && !isClosed ? NO_REPEATS : { code: "EXISTS" };
  }
  if (state === undefined) return { code: "ABSENT" };
  if (isReplaced(expect, state.incarnation)) return { code: "REPLACED" };
  // A change of state is taken by a full log, too, so neither bounds nor series are checked.
  if (!isLive(expect)) return checkVersion(state, expect) ?? NO_REPEATS;
  if (!events.some(hasProducer)) return checkNewEvents(commit, state, []) ?? NO_REPEATS;
  const checked = checkProducers(events, state);
  if ("code" in checked) return checked;
  const { repeats } = checked;
  // Events are removed only from tasks that have ended.
  if (repeatsTrimmed(repeats, state)) return { code: "TERMINAL", status: state.status };
  return checkNewEvents(commit, state, repeats) ?? checked;
}

function checkVersion(state: CommitState, expect: VersionExpectation): Refusal | undefined {
  if (!isAtRevision(state, expect)) return { code: "CONFLICT" };
  const { leaseBy } = expect;
  const isDue = leaseBy === undefined || (state.leaseDueMs ?? Infinity) <= leaseBy;
  return isDue ? undefined : { code: "NOT_DUE" };
}

function checkNewEvents(
  { events, maxEvents, maxBytes, lease }: Commit,
  state: CommitState,
  repeats: readonly (number | undefined)[],
): Refusal | undefined {
  let { length, dataBytes } = state;
  for (let at = 0; at < events.length; at++) {
    if (repeats[at] !== undefined) continue;
    length++;
    dataBytes += events[at]!.data.length;
  }
  if (length === state.length) return undefined;
  if (isTerminal(state.status)) return { code: "TERMINAL", status: state.status };
  if (lease !== undefined && lease !== state.lease) return { code: "LEASE_LOST" };
  const conflict = checkSeries(events, repeats, state);
  if (conflict !== undefined) return conflict;
  return length > maxEvents || dataBytes > maxBytes ? { code: "TASK_FULL" } : undefined;
}

/** Looks at stored events only: a draft can also repeat an earlier draft of the same commit. */
function repeatsTrimmed(repeats: readonly (number | undefined)[], state: CommitState): boolean {
  return repeats.some((index) =>
    index !== undefined && index < state.length && state.isTrimmed(index)
  );
}

function hasProducer({ producer }: EventDraft): boolean {
  return producer !== undefined;
}
