import type { EngineContext } from "../context/context.ts";

/** What a round of a job says about the next one. */
export interface Round {
  /** There is more to do right away. */
  again: boolean;
  /** When there is something to do again, as far as the job knows. Unix milliseconds. */
  nextAtMs?: number;
}

/**
 * Does work whose time has come: looks when something is known to be due and, where others may
 * leave work, regularly. Never twice at a time; after an error again, later and later.
 */
export class Job {
  readonly #context: EngineContext;
  readonly #operation: string;
  readonly #round: () => Promise<Round>;
  readonly #maxRetryMs: number;
  readonly #minSweepMs: number;
  #timer?: unknown;
  #timerAt = Infinity;
  /** What is expected while a round is on waits for its end, so that one timer is made for all. */
  #inRound = false;
  #expectedAt = Infinity;
  #running?: Promise<void>;
  #again = false;
  #closed = false;
  #failures = 0;

  constructor(
    context: EngineContext,
    { operation, round, maxRetryMs = RETRY_MS, minSweepMs = 0 }: {
      /** What errors are reported as. */
      operation: string;
      round: () => Promise<Round>;
      /** After errors it waits a second, then twice as long each time, up to this. */
      maxRetryMs?: number;
      /** Looks for what others left this seldom at least, if it looks at all. */
      minSweepMs?: number;
    },
  ) {
    this.#minSweepMs = minSweepMs;
    this.#context = context;
    this.#operation = operation;
    this.#round = round;
    this.#maxRetryMs = maxRetryMs;
  }

  /** Rounds that failed since the last one that did not. */
  get failures(): number {
    return this.#failures;
  }

  /** Something will be due at this time. */
  expect(atMs: number): void {
    // While it fails, it keeps to its own times.
    if (this.#closed || this.#failures > 0 || atMs >= this.#timerAt) return;
    if (this.#inRound) this.#expectedAt = Math.min(this.#expectedAt, atMs);
    else this.#wakeAt(atMs);
  }

  /** Does everything that is due now. Resolves when it is done, or when it failed. */
  run(): Promise<void> {
    this.#again = true;
    this.#running ??= this.#rounds().finally(() => this.#running = undefined);
    return this.#running;
  }

  /** Stops, when what is being done is done. */
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
        // One timer for whichever comes first: of one that is cleared, Deno keeps something for each
        // length until it would have gone off, which may be weeks.
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
    // Longer than a timer can wait: it wakes early, finds nothing, and waits again.
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
