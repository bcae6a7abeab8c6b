import type { Clock } from "../../contracts/clock.ts";
import { nextTurn } from "./next_turn.ts";
import type { StreamControl } from "../stream_control.ts";
import type { ReaderList } from "./reader_list.ts";

/** Readers to be woken, one after the other. */
interface Round {
  waiters: ReaderList;
  reason?: "heartbeat";
  /** Those whose turn has not come; who does not wait when it comes has looked by itself. */
  rest: Iterator<StreamControl>;
  /** The last one who was there when the round was added. Whoever comes later has looked by then. */
  last: number;
  /** The first of them has been woken. */
  hasBegun: boolean;
  /** There is more since the round began, for those who were woken in it, too. */
  isRenewed: boolean;
}

/** Milliseconds from the beginning of one round of many readers to that of the next, at least. */
const INTERVAL_MS = 1;

/** Its timers hold the process, unlike those of the engine: readers are owed what was published. */
const holdingClock: Clock = {
  now: () => performance.now(),
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
  clearTimeout: (timer) => clearTimeout(timer as number),
};

/**
 * Wakes the readers of a task: a few at once, the others in later turns of the event loop, and if
 * they are many, once a millisecond. So a task with thousands of readers holds up nobody for longer
 * than a few of them take, and where producers are faster than readers, a reader gets all that came
 * until its turn as one chunk.
 *
 * Of single events, one after the other, that is seven times as many deliveries to 2 000 readers on
 * `Deno.serve` as when all of them were woken in one turn, and 1.8 times as many to 50 as when the
 * next round began at once, which were too few for the runtime to look at its sockets in between.
 * See benchmarks/README.md.
 */
export class WakeScheduler {
  readonly #perTurn: number;
  readonly #clock: Clock;
  /** In the order in which they come. */
  readonly #rounds: Round[] = [];
  /** Those that would come too soon after the one before of the same readers. */
  readonly #paused: Round[] = [];
  /** All of them, by their waiters: there may be as many as filters. */
  readonly #news = new Map<ReaderList, Round>();
  readonly #beats = new Map<ReaderList, Round>();
  #timer?: unknown;
  #isScheduled = false;
  #isWaking = false;

  /** @param perTurn How many are woken in each turn; one at least. More than these are many. */
  constructor(perTurn: number, clock: Clock = holdingClock) {
    this.#perTurn = perTurn >= 1 ? perTurn : 1;
    this.#clock = clock;
  }

  /** Whether some are still to be woken. */
  get isPending(): boolean {
    return this.#rounds.length > 0 || this.#paused.length > 0;
  }

  /** Adds a round of all who wait; {@linkcode begin} and {@linkcode finish} wake them. */
  add(waiters: ReaderList, reason?: "heartbeat"): void {
    if (waiters.waiting === 0) return;
    const known = this.#known(reason).get(waiters);
    if (known !== undefined) {
      if (known.hasBegun) known.isRenewed = true;
      else known.last = waiters.arrivals;
      return;
    }
    const rest = waiters[Symbol.iterator]();
    const { arrivals: last } = waiters;
    const round = { waiters, reason, rest, last, hasBegun: false, isRenewed: false };
    this.#known(reason).set(waiters, round);
    const pauseMs = this.#pauseMs(round);
    if (pauseMs > 0) this.#pause(round, pauseMs);
    else this.#rounds.push(round);
  }

  /** Wakes the first of them now, unless earlier ones are waited for, and the others later. */
  begin(): void {
    // Where a reader that is being woken is the cause, its round goes on anyway.
    if (!this.#isScheduled && !this.#isWaking) this.#wake(this.#perTurn);
  }

  /** Wakes all of them now, also where a reader that is being woken is the cause. */
  finish(): void {
    do {
      this.#release();
      this.#wake(Infinity);
    } while (this.#paused.length > 0);
  }

  /** Leaves no timer. Who waits for one has to be woken before. */
  close(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #wake(count: number): void {
    const wasWaking = this.#isWaking;
    this.#isWaking = true;
    try {
      for (let round = this.#rounds[0]; round !== undefined && count > 0; round = this.#rounds[0]) {
        if (!round.hasBegun) this.#open(round);
        const { value, done } = round.rest.next();
        if (done || value.arrival! > round.last) this.#end(round);
        else if (value.isWaiting) {
          count--;
          value.wake!(round.reason);
        }
      }
    } finally {
      this.#isWaking = wasWaking;
      this.#schedule();
    }
  }

  #open(round: Round): void {
    round.hasBegun = true;
    if (isPaced(round, this.#perTurn)) round.waiters.wokenAtMs = this.#clock.now();
  }

  /** All were woken; they are once more, behind the others, if there is more. */
  #end(round: Round): void {
    this.#rounds.splice(this.#rounds.indexOf(round), 1);
    this.#known(round.reason).delete(round.waiters);
    if (round.isRenewed) this.add(round.waiters, round.reason);
  }

  #known(reason?: "heartbeat"): Map<ReaderList, Round> {
    return reason === undefined ? this.#news : this.#beats;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#rounds.length === 0) return;
    this.#isScheduled = true;
    nextTurn(() => {
      this.#isScheduled = false;
      this.#wake(this.#perTurn);
    });
  }

  /** Milliseconds until a round may begin. */
  #pauseMs(round: Round): number {
    if (!isPaced(round, this.#perTurn)) return 0;
    return round.waiters.wokenAtMs + INTERVAL_MS - this.#clock.now();
  }

  /** Puts a round off. One timer does for all: some come a part of a millisecond early by that. */
  #pause(round: Round, delayMs: number): void {
    this.#paused.push(round);
    this.#timer ??= this.#clock.setTimeout(() => {
      this.#timer = undefined;
      this.#release();
      this.begin();
    }, delayMs);
  }

  #release(): void {
    this.#rounds.push(...this.#paused.splice(0));
  }
}

/** Whether rounds keep their distance: news for many. Signs of life are rare. */
function isPaced({ waiters, reason }: Round, perTurn: number): boolean {
  return reason === undefined && waiters.size > perTurn;
}
