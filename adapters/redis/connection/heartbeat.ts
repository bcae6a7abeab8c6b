/** Calls a check periodically, each time after the previous one was answered. */
export class Heartbeat {
  readonly #everyMs: number;
  readonly #ask: () => Promise<unknown>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #runs = false;
  /** A check from before the last stop is still pending. */
  #isAsking = false;

  constructor({ everyMs, ask }: { everyMs: number; ask: () => Promise<unknown> }) {
    this.#everyMs = everyMs;
    this.#ask = ask;
  }

  /** Starts, unless it is running. */
  start(): void {
    if (this.#runs) return;
    this.#runs = true;
    if (!this.#isAsking) this.#wait();
  }

  /** Stops until the next start. */
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
