import { nextTurn } from "./next_turn.ts";
import type { StreamControl } from "./stream_control.ts";

/** Readers to be woken, one after the other. */
interface Round {
  waiters: ReadonlySet<StreamControl>;
  reason?: "heartbeat";
  /**
   * Those whose turn has not come, of those who waited when the round began. Whoever begins to wait
   * later has looked by then; if it were woken as well, readers who ask again would be woken for ever.
   */
  rest: Iterator<StreamControl>;
  /** There is more since the round began, for those who were woken in it, too. */
  isRenewed: boolean;
}

/**
 * Wakes the readers of a task: a few at once, the others in later turns of the event loop. So a task
 * with thousands of readers holds up nobody for longer than a few of them take, and where producers
 * are faster than readers, a reader gets all that came until its turn as one chunk.
 *
 * With 2 000 readers that is seven times as many deliveries of single events on `Deno.serve` as when
 * all of them were woken in one turn, see benchmarks/README.md.
 */
export class WakeRounds {
  readonly #perTurn: number;
  /** In the order in which they come. */
  readonly #rounds: Round[] = [];
  /** Those that are under way, by their waiters: there may be as many as filters. */
  readonly #news = new Map<ReadonlySet<StreamControl>, Round>();
  readonly #beats = new Map<ReadonlySet<StreamControl>, Round>();
  #isScheduled = false;
  #isWaking = false;

  /** @param perTurn How many are woken in each turn; one at least. */
  constructor(perTurn: number) {
    this.#perTurn = perTurn >= 1 ? perTurn : 1;
  }

  /** Whether some are still to be woken. */
  get isPending(): boolean {
    return this.#rounds.length > 0;
  }

  /** Adds a round of all who wait; {@linkcode begin} and {@linkcode finish} wake them. */
  add(waiters: ReadonlySet<StreamControl>, reason?: "heartbeat"): void {
    if (waiters.size === 0) return;
    const known = this.#known(reason).get(waiters);
    if (known !== undefined) {
      known.isRenewed = true;
      return;
    }
    const round = { waiters, reason, rest: [...waiters].values(), isRenewed: false };
    this.#known(reason).set(waiters, round);
    this.#rounds.push(round);
  }

  /** Wakes the first of them now, unless earlier ones are waited for, and the others later. */
  begin(): void {
    // Where a reader that is being woken is the cause, its round goes on anyway.
    if (!this.#isScheduled && !this.#isWaking) this.#wake(this.#perTurn);
  }

  /** Wakes all of them now, also where a reader that is being woken is the cause. */
  finish(): void {
    this.#wake(Infinity);
  }

  #wake(count: number): void {
    const wasWaking = this.#isWaking;
    this.#isWaking = true;
    try {
      for (let round = this.#rounds[0]; round !== undefined && count > 0; round = this.#rounds[0]) {
        const { value, done } = round.rest.next();
        if (done) this.#end(round);
        else if (round.waiters.has(value)) {
          count--;
          value.wake?.(round.reason);
        }
      }
    } finally {
      this.#isWaking = wasWaking;
      this.#schedule();
    }
  }

  /** All were woken; they are once more, behind the others, if there is more. */
  #end(round: Round): void {
    this.#rounds.splice(this.#rounds.indexOf(round), 1);
    this.#known(round.reason).delete(round.waiters);
    if (round.isRenewed) this.add(round.waiters, round.reason);
  }

  #known(reason?: "heartbeat"): Map<ReadonlySet<StreamControl>, Round> {
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
}
