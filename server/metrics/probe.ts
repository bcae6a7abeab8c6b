/**
 * Asks something that may take long or never answer, for those who cannot wait: seldom, once at a
 * time, and whoever wants to know gets the newest answer that came.
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

  /** The newest answer; none after a question that failed. */
  get newest(): Answer | undefined {
    return this.#newest;
  }

  /** Asks if the newest answer is old, and resolves when it came or patience is over. */
  async refresh(): Promise<void> {
    if (this.#asking === undefined && performance.now() - this.#askedAtMs >= this.#everyMs) {
      this.#askedAtMs = performance.now();
      this.#asking = this.#askOnce().finally(() => this.#asking = undefined);
    }
    if (this.#asking === undefined) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, this.#patienceMs));
    await Promise.race([this.#asking, late]);
    clearTimeout(timer);
  }

  async #askOnce(): Promise<void> {
    try {
      this.#newest = await this.#ask();
    } catch {
      this.#newest = undefined;
    }
  }
}
