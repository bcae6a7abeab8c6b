import type { FailedDeliveries } from "../../protocol/webhook.ts";

/** Failed ranges that are remembered apart; beyond it the last two become one. */
const MAX_RANGES = 100;

/** Where a webhook of a task stands, as it is kept in a note of the task. */
export interface HookState {
  /** Everything before this index is settled. */
  next: number;
  /** Matching events before it, so that its `filteredIndex` needs no counting. */
  count: number;
  /** The turn that delivers, or delivered last: a random text. */
  holder?: string;
  /** Attempts that the event in turn has had, and when the next may be made. */
  attempts?: number;
  atMs?: number;
  /** Why the last one failed. */
  error?: string;
  /** The delivery before was given up, too. */
  streak?: true;
  /** Deliveries that were given up. */
  failed?: FailedDeliveries[];
  /** Ranges of these that are to be tried again, before anything else. */
  again?: { from: number; through: number }[];
}

/** The note of a webhook. */
export function noteOf(hook: string): string {
  return `webhook ${hook}`;
}

/** The webhook of a note, or `undefined` if it is a note about something else. */
export function hookOf(note: string): string | undefined {
  return note.startsWith("webhook ") ? note.slice("webhook ".length) : undefined;
}

/** A webhook that has told nothing yet. */
export const NEW_STATE: Readonly<HookState> = { next: 0, count: 0 };

/** Reads a note. */
export function parseState(text: string | undefined): HookState {
  return text === undefined ? { ...NEW_STATE } : JSON.parse(text);
}

/** Writes a note. */
export function stateText(state: HookState): string {
  return JSON.stringify(state);
}

/** The state once the event at `index` is delivered. */
export function delivered(state: HookState, index: number): HookState {
  const { error: _error, streak: _streak, ...kept } = state;
  return settled(kept, index);
}

/** The state once the event at `index` is over, one way or the other. */
function settled(state: HookState, index: number): HookState {
  const { attempts: _attempts, atMs: _atMs, ...kept } = state;
  const [range, ...others] = kept.again ?? [];
  if (range === undefined) return { ...kept, next: index + 1, count: kept.count + 1 };
  return withAgain(
    kept,
    range.through > index ? [{ ...range, from: index + 1 }, ...others] : others,
  );
}

/** The state once an attempt failed and another is to be made at `atMs`. */
export function postponed(state: HookState, error: string, atMs: number): HookState {
  return { ...state, attempts: (state.attempts ?? 0) + 1, atMs, error };
}

/** The state once the event at `index` is given up. */
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

/** The state when everything before `next` was looked at and nothing else matched. */
export function skipped(state: HookState, next: number): HookState {
  const [range, ...others] = state.again ?? [];
  if (range === undefined) return { ...state, next };
  return withAgain(state, range.through >= next ? [{ ...range, from: next }, ...others] : others);
}

/** The state when what was given up is to be tried again. */
export function retried(state: HookState): HookState {
  const { failed = [], again = [], attempts: _attempts, atMs: _atMs, streak: _s, ...kept } = state;
  return withAgain(kept, [...again, ...failed.map(({ from, through }) => ({ from, through }))]);
}

/** Milliseconds for which deliveries that were given up keep an ended task in reach: a week. */
const FAILED_RETENTION_MS = 7 * 86_400_000;

/**
 * Whether the webhooks of an ended task have everything, so that its hot copy may go.
 *
 * @param notes The notes of the task.
 * @param length Events in its log.
 * @param failedRetentionMs For how long deliveries that were given up count as not made.
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

/** Where the webhook goes on, and how far it may go at once. */
export function rangeOf({ next, again = [] }: HookState): { from: number; through?: number } {
  return again[0] ?? { from: next };
}

function withAgain(state: HookState, again: NonNullable<HookState["again"]>): HookState {
  const { again: _again, ...kept } = state;
  return again.length === 0 ? kept : { ...kept, again };
}
