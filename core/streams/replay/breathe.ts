import { nextTurn } from "../waking/next_turn.ts";

/** Milliseconds of work between two rests. */
const SLICE_MS = 10;

const waiting: (() => void)[] = [];
let restedAtMs = 0;

/**
 * Lets others have a turn within work that may be long, and after {@linkcode SLICE_MS} of it lets the
 * runtime look at its sockets.
 *
 * A turn alone is not enough: the event loop of Deno looks for what has come in only each 61 turns, as
 * long as none of them finds it idle. Whoever rests goes on alone, the others a rest later.
 */
export async function breathe(): Promise<void> {
  await new Promise<void>(nextTurn);
  if (waiting.length === 0 && performance.now() - restedAtMs < SLICE_MS) return;
  await new Promise<void>((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setTimeout(goOn, 0);
  });
}

function goOn(): void {
  restedAtMs = performance.now();
  waiting[0]!();
  waiting.shift();
  if (waiting.length > 0) setTimeout(goOn, 0);
}
