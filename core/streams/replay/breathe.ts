import { nextTurn } from "../waking/next_turn.ts";

/** Milliseconds of work between two pauses. */
const SLICE_MS = 10;

/** Event loop turns in a pause. A busy Deno polls its sockets once in this many turns. */
const PAUSE_TURNS = 61;

const waiting: (() => void)[] = [];
let pausedAtMs = 0;

/**
 * Starts long work that must not block the event loop.
 *
 * @returns A function to be called repeatedly during the work. It yields to other work, and after each
 * {@linkcode SLICE_MS} of work it pauses until the runtime has polled its sockets.
 */
export function breather(): () => Promise<void> {
  // Work that fits into one slice, as most does, never pauses.
  const startMs = performance.now();
  return async () => {
    await new Promise<void>(nextTurn);
    const sliceMs = performance.now() - Math.max(startMs, pausedAtMs);
    if (waiting.length > 0 || sliceMs >= SLICE_MS) await waitForPause();
  };
}

/** Waits for a pause. Concurrent callers resume one after another, a pause apart. */
function waitForPause(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) takeTurns();
  });
}

/** Counts turns instead of using a timer, which would leave the thread idle for a millisecond or two. */
function takeTurns(): void {
  // Without setImmediate a turn is a timer, and the runtime polls its sockets before that fires.
  let turns = "setImmediate" in globalThis ? PAUSE_TURNS : 1;
  const count = () => --turns > 0 ? nextTurn(count) : resumeNext();
  nextTurn(count);
}

function resumeNext(): void {
  pausedAtMs = performance.now();
  waiting[0]!();
  waiting.shift();
  if (waiting.length > 0) takeTurns();
}
