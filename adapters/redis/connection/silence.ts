/**
 * Notices when nothing is heard for a while though answers are due.
 *
 * Silence is measured and timeouts are not counted: many requests that wait together say no more than
 * one does, and where no more may wait there is none whose timeout could be the second.
 */
export class Silence {
  readonly #limitMs: number;
  readonly #onSilence: () => void;
  #due = 0;
  #heardAtMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  /** @param onSilence Called again after as long a time, while answers are still due. */
  constructor({ limitMs, onSilence }: { limitMs: number; onSilence: () => void }) {
    this.#limitMs = limitMs;
    this.#onSilence = onSilence;
  }

  /** Takes an answer as due until it settles. An error is an answer, too. */
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

  /** Notices nothing any more. */
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
