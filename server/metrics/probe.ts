import { inTime } from "@taskcast/core/adapter";

/**
 * Asks a question that may take long or never be answered, for callers that cannot wait. It asks at
 * most once per interval and one at a time; every caller gets the newest answer.
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

  /** The newest answer; `undefined` after a question that failed. */
  get newest(): Answer | undefined {
    return this.#newest;
  }

  /** Asks if the newest answer is old. Resolves when the answer arrives or the wait is over. */
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
