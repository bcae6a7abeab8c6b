/**
 * Notices when nothing arrives for a while although replies are due.
 *
 * It measures silence instead of counting timeouts: many requests waiting together say no more than
 * one, and when no more requests may wait, there may never be a second timeout.
 */
export class Silence {
  readonly #limitMs: number;
  readonly #onSilence: () => void;
  #due = 0;
  #heardAtMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  /** @param onSilence Called after each silent period while replies are due. */
  constructor({ limitMs, onSilence }: { limitMs: number; onSilence: () => void }) {
    this.#limitMs = limitMs;
    this.#onSilence = onSilence;
  }

  /** Counts a reply as due until it settles. An error is a reply, too. */
  expect(answer: Promise<unknown>): void {
    if (this.#closed) return;
    this.#due++;
    if (this.#timer === undefined) {
      this.#heardAtMs = performance.now();
      this.#listen(this.#limitMs);
    }
    const onAnswer = () => {
      this.#heardAtMs = performance.now();
      if (--this.#due === 0) this.#rest();
    };
    answer.then(onAnswer, onAnswer);
  }

  /** Stops measuring. */
  close(): void {
    this.#closed = true;
    this.#rest();
  }

  #listen(ms: number): void {
    this.#timer = setTimeout(() => {
      const leftMs = this.#heardAtMs + this.#limitMs - performance.now();
      if (leftMs > 0) return this.#listen(leftMs);
      this.#listen(this.#limitMs);
      this.#onSilence();
    }, ms);
  }

  #rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
