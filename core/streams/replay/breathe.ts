import { nextTurn } from "../waking/next_turn.ts";

/** Milliseconds of work between two rests. */
const SLICE_MS = 10;

/** Turns of the event loop in a rest: while it is busy, Deno looks at its sockets once in so many. */
const PAUSE_TURNS = 61;

const waiting: (() => void)[] = [];
let pausedAtMs = 0;

/**
 * Begins work that may be long.
 *
 * @returns Lets other work have a turn, and after each {@linkcode SLICE_MS} of work lets the runtime look
 * at its sockets. To be called again and again during the work.
 */
export function breather(): () => Promise<void> {
  // Work that is over within a slice, as most is, does not rest.
  const startMs = performance.now();
  return async () => {
    await new Promise<void>(nextTurn);
    const sliceMs = performance.now() - Math.max(startMs, pausedAtMs);
    if (waiting.length > 0 || sliceMs >= SLICE_MS) await waitForPause();
  };
}

/** Callers that rest at the same time go on one after another, a rest apart. */
function waitForPause(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) takeTurns();
  });
}

/** A timer would do, too, but it fires a millisecond or two later, and the thread is idle until then. */
function takeTurns(): void {
  // Without setImmediate a turn is a timer, and the runtime looks at its sockets before that fires.
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
