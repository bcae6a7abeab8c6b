import type { Clock } from "../../contracts/clock.ts";
import { nextTurn } from "./next_turn.ts";
import type { StreamControl } from "../stream_control.ts";
import type { ReaderList } from "./reader_list.ts";

/** One pass over the waiting readers of a list. */
interface Round {
  waiters: ReaderList;
  reason?: "heartbeat";
  /** Readers that have not been reached. One that does not wait when it is reached has read by itself. */
  remaining: Iterator<StreamControl>;
  /** The last reader that was in the list when the round was added. Later ones have read by then. */
  lastArrival: number;
  /** Set once the first reader has been woken. */
  hasBegun: boolean;
  /** Set if more arrived since the round began, so that the readers it woke must be woken again. */
  isRenewed: boolean;
}

/** Minimum number of milliseconds between the starts of two rounds of many readers. */
const INTERVAL_MS = 1;

/** A clock whose timers, unlike the engine's, keep the process alive: published events must be delivered. */
const holdingClock: Clock = {
  now: () => performance.now(),
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
  clearTimeout: (timer) => clearTimeout(timer as number),
};

/**
 * Wakes the readers of a task: a few at once and the others in later turns of the event loop. Rounds of
 * many readers start at most once a millisecond. A task with thousands of readers therefore delays other
 * work only for as long as a few of them take, and if producers are faster than readers, each reader gets
 * everything that arrived before its turn as one chunk.
 *
 * With single events published one after another, `Deno.serve` delivers seven times as many events to
 * 2 000 readers as when all were woken in one turn. It delivers 1.8 times as many to 50 readers as when
 * the next round started at once, because the runtime gets to its sockets between rounds. See
 * benchmarks/README.md.
 */
export class WakeScheduler {
  readonly #perTurn: number;
  readonly #clock: Clock;
  /** The rounds that may run, in order. */
  readonly #rounds: Round[] = [];
  /** Rounds that would start too soon after the previous round of the same readers. */
  readonly #paused: Round[] = [];
  /** All rounds by reader list; there may be one for each filter. */
  readonly #newsRounds = new Map<ReaderList, Round>();
  readonly #heartbeatRounds = new Map<ReaderList, Round>();
  #timer?: unknown;
  #isScheduled = false;
  #isWaking = false;

  /** @param perTurn Readers woken in each turn, at least 1. A list with more readers counts as many. */
  constructor(perTurn: number, clock: Clock = holdingClock) {
    this.#perTurn = perTurn >= 1 ? perTurn : 1;
    this.#clock = clock;
  }

  /** Set while readers are still to be woken. */
  get isPending(): boolean {
    return this.#rounds.length > 0 || this.#paused.length > 0;
  }

  /** Adds a round of all waiting readers. {@linkcode begin} or {@linkcode finish} then wakes them. */
  add(waiters: ReaderList, reason?: "heartbeat"): void {
    if (waiters.waiting === 0) return;
    const known = this.#known(reason).get(waiters);
    if (known !== undefined) {
      if (known.hasBegun) known.isRenewed = true;
      else known.lastArrival = waiters.arrivals;
      return;
    }
    const remaining = waiters[Symbol.iterator]();
    const { arrivals: lastArrival } = waiters;
    const round = { waiters, reason, remaining, lastArrival, hasBegun: false, isRenewed: false };
    this.#known(reason).set(waiters, round);
    const pauseMs = this.#pauseMs(round);
    if (pauseMs > 0) this.#pause(round, pauseMs);
    else this.#rounds.push(round);
  }

  /** Wakes the first readers now, unless a turn is already scheduled, and the others in later turns. */
  begin(): void {
    // If a reader that is being woken caused this, its round continues anyway.
    if (!this.#isScheduled && !this.#isWaking) this.#wake(this.#perTurn);
  }

  /** Wakes all readers now, even if a reader that is being woken caused this. */
  finish(): void {
    do {
      this.#resumePaused();
      this.#wake(Infinity);
    } while (this.#paused.length > 0);
  }

  /** Stops the timer. Readers of paused rounds must have been woken before. */
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
        const { value, done } = round.remaining.next();
        if (done || value.arrival! > round.lastArrival) this.#end(round);
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

  /** Ends a round, and adds the next one behind the others if more arrived meanwhile. */
  #end(round: Round): void {
    this.#rounds.splice(this.#rounds.indexOf(round), 1);
    this.#known(round.reason).delete(round.waiters);
    if (round.isRenewed) this.add(round.waiters, round.reason);
  }

  #known(reason?: "heartbeat"): Map<ReaderList, Round> {
    return reason === undefined ? this.#newsRounds : this.#heartbeatRounds;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#rounds.length === 0) return;
    this.#isScheduled = true;
    nextTurn(() => {
      this.#isScheduled = false;
      this.#wake(this.#perTurn);
    });
  }

  /** Returns the milliseconds until a round may start. */
  #pauseMs(round: Round): number {
    if (!isPaced(round, this.#perTurn)) return 0;
    return round.waiters.wokenAtMs + INTERVAL_MS - this.#clock.now();
  }

  /** Delays a round. All rounds share one timer, so some start a fraction of a millisecond early. */
  #pause(round: Round, delayMs: number): void {
    this.#paused.push(round);
    this.#timer ??= this.#clock.setTimeout(() => {
      this.#timer = undefined;
      this.#resumePaused();
      this.begin();
    }, delayMs);
  }

  #resumePaused(): void {
    this.#rounds.push(...this.#paused.splice(0));
  }
}

/** Returns whether a round must keep its distance to the previous one. Heartbeats are rare enough. */
function isPaced({ waiters, reason }: Round, perTurn: number): boolean {
  return reason === undefined && waiters.size > perTurn;
}
