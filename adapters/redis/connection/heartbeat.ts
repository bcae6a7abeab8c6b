/** Asks now and then, the next time only after an answer. */
export class Heartbeat {
  readonly #everyMs: number;
  readonly #ask: () => Promise<unknown>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #runs = false;
  /** A question from before a stop is still not answered. */
  #isAsking = false;

  constructor({ everyMs, ask }: { everyMs: number; ask: () => Promise<unknown> }) {
    this.#everyMs = everyMs;
    this.#ask = ask;
  }

  /** Goes on from now on, if it does not already. */
  start(): void {
    if (this.#runs) return;
    this.#runs = true;
    if (!this.#isAsking) this.#wait();
  }

  /** Asks no more until it is started again. */
  stop(): void {
    this.#runs = false;
    clearTimeout(this.#timer);
  }

  #wait(): void {
    this.#timer = setTimeout(() => {
      this.#isAsking = true;
      const onAnswer = () => {
        this.#isAsking = false;
        if (this.#runs) this.#wait();
      };
      this.#ask().then(onAnswer, onAnswer);
    }, this.#everyMs);
  }
}
