import type { EngineContext } from "../context/context.ts";

/** The schedule of a job after a round. */
export interface Round {
  /** Set if there is more to do right away. */
  again: boolean;
  /** Time of the next known work in Unix milliseconds. */
  nextAtMs?: number;
}

/**
 * Runs rounds of background work: when something is known to be due and, if other instances may leave work,
 * at regular intervals. Rounds never overlap. After an error it retries at increasing intervals.
 */
export class Job {
  readonly #context: EngineContext;
  readonly #operation: string;
  readonly #round: () => Promise<Round>;
  readonly #maxRetryMs: number;
  readonly #minSweepMs: number;
  #timer?: unknown;
  #timerAt = Infinity;
  /** Times that are expected during a round are collected until its end, so that one timer is enough. */
  #inRound = false;
  #expectedAt = Infinity;
  #running?: Promise<void>;
  #again = false;
  #closed = false;
  #failures = 0;

  constructor(
    context: EngineContext,
    { operation, round, maxRetryMs = RETRY_MS, minSweepMs = 0 }: {
      /** The operation under which errors are reported. */
      operation: string;
      round: () => Promise<Round>;
      /** Maximum delay after errors; the first is a second, and each further one twice as long. */
      maxRetryMs?: number;
      /** Minimum interval between searches for work of other instances. */
      minSweepMs?: number;
    },
  ) {
    this.#minSweepMs = minSweepMs;
    this.#context = context;
    this.#operation = operation;
    this.#round = round;
    this.#maxRetryMs = maxRetryMs;
  }

  /** Number of failed rounds since the last successful one. */
  get failures(): number {
    return this.#failures;
  }

  /** Schedules a round at a time when something will be due. */
  expect(atMs: number): void {
    // After failures, the retry delay applies.
    if (this.#closed || this.#failures > 0 || atMs >= this.#timerAt) return;
    if (this.#inRound) this.#expectedAt = Math.min(this.#expectedAt, atMs);
    else this.#wakeAt(atMs);
  }

  /** Does everything that is due now. Resolves when it is done or has failed. */
  run(): Promise<void> {
    this.#again = true;
    this.#running ??= this.#rounds().finally(() => this.#running = undefined);
    return this.#running;
  }

  /** Stops. Resolves once the round in progress has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#context.clock.clearTimeout(this.#timer);
    await this.#running;
  }

  async #rounds(): Promise<void> {
    const { clock, options } = this.#context;
    while (this.#again && !this.#closed) {
      this.#again = false;
      try {
        this.#inRound = true;
        this.#expectedAt = Infinity;
        const { again, nextAtMs = Infinity } = await this.#round();
        this.#inRound = false;
        this.#failures = 0;
        this.#again ||= again;
        // One timer for whichever time is first. Deno keeps some memory for a cleared timer until it would
        // have fired, which may be weeks.
        const sweepAtMs = options.sweepMs > 0
          ? clock.now() + Math.max(options.sweepMs, this.#minSweepMs)
          : Infinity;
        this.expect(Math.min(nextAtMs, sweepAtMs, this.#expectedAt));
      } catch (error) {
        this.#inRound = false;
        this.#context.report(error, { operation: this.#operation });
        const delayMs = Math.min(RETRY_MS * 2 ** this.#failures, this.#maxRetryMs);
        this.#failures++;
        if (!this.#closed) this.#wakeAt(clock.now() + delayMs);
        return;
      }
    }
  }

  #wakeAt(atMs: number): void {
    const { clock } = this.#context;
    clock.clearTimeout(this.#timer);
    this.#timerAt = atMs;
    // Timers have a maximum delay. If that is too short, the round finds nothing and waits again.
    const delayMs = Math.min(Math.max(0, atMs - clock.now()), MAX_TIMEOUT_MS);
    this.#timer = clock.setTimeout(() => {
      this.#timer = undefined;
      this.#timerAt = Infinity;
      void this.run();
    }, delayMs);
  }
}

const RETRY_MS = 1_000;
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
