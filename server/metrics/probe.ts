import { inTime } from "@taskcast/core/adapter";

/**
 * Runs a check that may take long or never finish, for callers that cannot wait for it. The check
 * runs at most once per interval and never concurrently. Every caller gets the newest result.
 */
export class Probe<Answer> {
  readonly #ask: () => Promise<Answer>;
  readonly #everyMs: number;
  readonly #patienceMs: number;
  #askedAtMs = -Infinity;
  #asking?: Promise<void>;
  #newest?: Answer;

  constructor(
    ask: () => Promise<Answer>,
    { everyMs, patienceMs }: { everyMs: number; patienceMs: number },
  ) {
    this.#ask = ask;
    this.#everyMs = everyMs;
    this.#patienceMs = patienceMs;
  }

  /** The newest result; `undefined` after a check that failed. */
  get newest(): Answer | undefined {
    return this.#newest;
  }

  /** Runs the check if its result is old. Resolves when it ends or the wait is over. */
  async refresh(): Promise<void> {
    if (this.#asking === undefined && performance.now() - this.#askedAtMs >= this.#everyMs) {
      this.#askedAtMs = performance.now();
      this.#asking = this.#askOnce().finally(() => this.#asking = undefined);
    }
    if (this.#asking === undefined) return;
    const late = () => new Error("no answer yet");
    await inTime(this.#asking, this.#patienceMs, late).catch(() => {});
  }

  async #askOnce(): Promise<void> {
    try {
      this.#newest = await this.#ask();
    } catch {
      this.#newest = undefined;
    }
  }
}
