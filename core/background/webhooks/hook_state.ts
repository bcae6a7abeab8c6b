import type { FailedDeliveries } from "../../protocol/webhook.ts";

/** Maximum number of failed ranges. Beyond it the last two are merged. */
const MAX_RANGES = 100;

/** The state of a webhook of a task, as it is stored in a note of the task. */
export interface HookState {
  /** The events before this index have been delivered or have failed. */
  next: number;
  /** Number of matching events before it, so that its `filteredIndex` needs no counting. */
  count: number;
  /** Random id of the delivery turn that writes the note, or wrote it last. */
  holder?: string;
  /** Number of failed attempts for the current event. */
  attempts?: number;
  /** The time of its next attempt. */
  atMs?: number;
  /** The reason for the last failure. */
  error?: string;
  /** Set if the previous delivery failed finally. */
  streak?: true;
  /** Deliveries that failed after all retries. */
  failed?: FailedDeliveries[];
  /** Failed ranges to retry before anything else. */
  again?: { from: number; through: number }[];
}

/** Returns the name of a webhook's note. */
export function noteOf(hook: string): string {
  return `webhook ${hook}`;
}

/** Returns the webhook that a note belongs to, or `undefined` for any other note. */
export function hookOf(note: string): string | undefined {
  return note.startsWith("webhook ") ? note.slice("webhook ".length) : undefined;
}

/** The state of a webhook without deliveries. */
export const NEW_STATE: Readonly<HookState> = { next: 0, count: 0 };

/** Parses a note. */
export function parseState(text: string | undefined): HookState {
  return text === undefined ? { ...NEW_STATE } : JSON.parse(text);
}

/** Returns a state as the text of a note. */
export function stateText(state: HookState): string {
  return JSON.stringify(state);
}

/** Returns the state after the event at `index` was delivered. */
export function delivered(state: HookState, index: number): HookState {
  const { error: _error, streak: _streak, ...kept } = state;
  return settled(kept, index);
}

/** Returns the state after the event at `index` was delivered or failed finally. */
function settled(state: HookState, index: number): HookState {
  const { attempts: _attempts, atMs: _atMs, ...kept } = state;
  const [range, ...others] = kept.again ?? [];
  if (range === undefined) return { ...kept, next: index + 1, count: kept.count + 1 };
  return withAgain(
    kept,
    range.through > index ? [{ ...range, from: index + 1 }, ...others] : others,
  );
}

/** Returns the state after a failed attempt, with the next one at `atMs`. */
export function postponed(state: HookState, error: string, atMs: number): HookState {
  return { ...state, attempts: (state.attempts ?? 0) + 1, atMs, error };
}

/** Returns the state after all retries of the event at `index` have failed. */
export function exhausted(
  state: HookState,
  index: number,
  error: string,
  nowMs: number,
): HookState {
  const { failed = [], ...kept } = settled(state, index);
  const ranges = [...failed];
  const last = ranges.at(-1);
  const isNext = state.streak && last?.error === error && last.through < index;
  if (last !== undefined && (isNext || ranges.length >= MAX_RANGES)) {
    const from = Math.min(last.from, index);
    const through = Math.max(last.through, index);
    ranges[ranges.length - 1] = { from, through, count: last.count + 1, error, at: nowMs };
  } else ranges.push({ from: index, through: index, count: 1, error, at: nowMs });
  return { ...kept, error, streak: true, failed: ranges };
}

/** Returns the state after everything before `next` was read and nothing further matched. */
export function skipped(state: HookState, next: number): HookState {
  const [range, ...others] = state.again ?? [];
  if (range === undefined) return { ...state, next };
  return withAgain(state, range.through >= next ? [{ ...range, from: next }, ...others] : others);
}

/** Returns the state with all failed deliveries scheduled for a retry. */
export function retried(state: HookState): HookState {
  const { failed = [], again = [], attempts: _attempts, atMs: _atMs, streak: _s, ...kept } = state;
  return withAgain(kept, [...again, ...failed.map(({ from, through }) => ({ from, through }))]);
}

/** Milliseconds for which failed deliveries keep an ended task in the short-term store: a week. */
const FAILED_RETENTION_MS = 7 * 86_400_000;

/**
 * Returns whether the webhooks of an ended task have everything, so that its hot copy may be released.
 *
 * @param notes The notes of the task.
 * @param length Number of events in its log.
 * @param failedRetentionMs Milliseconds for which a failed delivery counts as pending.
 */
export function areDelivered(
  notes: Readonly<Record<string, string>>,
  length: number,
  nowMs: number,
  failedRetentionMs: number = FAILED_RETENTION_MS,
): boolean {
  const states = Object.entries(notes)
    .filter(([name]) => hookOf(name) !== undefined)
    .map(([, text]) => parseState(text));
  return states.length > 0 &&
    states.every(({ next, again, failed = [] }) =>
      next >= length && again === undefined &&
      failed.every(({ at }) => at <= nowMs - failedRetentionMs)
    );
}

/** Returns the range of events to deliver next. */
export function rangeOf({ next, again = [] }: HookState): { from: number; through?: number } {
  return again[0] ?? { from: next };
}

function withAgain(state: HookState, again: NonNullable<HookState["again"]>): HookState {
  const { again: _again, ...kept } = state;
  return again.length === 0 ? kept : { ...kept, again };
}
