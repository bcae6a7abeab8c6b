/** Aborts a connection on which nothing comes any more. */
export class IdleTimer {
  readonly #limitMs: number;
  readonly #controller = new AbortController();
  readonly #outer?: AbortSignal;
  readonly #onOuterAbort = () => this.#controller.abort(this.#outer?.reason);
  #timer?: ReturnType<typeof setTimeout>;
  /** When the connection counts as lost; never while paused. */
  #lostAtMs = Infinity;

  constructor(limitMs: number, outer: AbortSignal | undefined) {
    this.#limitMs = limitMs;
    this.#outer = outer;
    outer?.addEventListener("abort", this.#onOuterAbort, { once: true });
    this.restart();
    this.#watch(limitMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  // Called for every chunk, so the timer stays as it is and looks at the time when it fires.
  restart(): void {
    this.#lostAtMs = performance.now() + this.#limitMs;
  }

  pause(): void {
    this.#lostAtMs = Infinity;
  }

  #watch(delayMs: number): void {
    this.#timer = setTimeout(() => {
      const leftMs = this.#lostAtMs - performance.now();
      if (leftMs > 0) return this.#watch(Math.min(Math.ceil(leftMs), this.#limitMs));
      const problem = `Nothing came for ${this.#limitMs} ms; the connection is lost`;
      this.#controller.abort(new Error(problem));
    }, delayMs);
  }

  /** Also gives up the connection, if it is still there. */
  close(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener("abort", this.#onOuterAbort);
    this.#controller.abort();
  }
}
