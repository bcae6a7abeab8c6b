import type { Clock } from "../../contracts/clock.ts";

/**
 * A step that took longer counts as if it took so many milliseconds: an archive that is slow for
 * other reasons than its load, say far away, is not made slower still.
 */
const MAX_COUNTED_MS = 200;

/**
 * How fast a backlog is archived: with nothing between two steps, each of which reads some of it and
 * writes that, unless events are published here meanwhile. Then each step is followed by a rest, by
 * default four times as long as it was itself, so that archiving takes a fifth of what it could of
 * this process, of the store and of the archive, and publishing goes before. The backlog lies in the
 * store, where an event stays until its task has ended anyway.
 *
 * With publishers, archive and stores on two processors, of the single events a second that there are
 * without an archive, and of those in arrays, it was 0.96 and 0.99 where archiving may work for a tenth
 * of the time, 0.92 and 0.98 for a fifth, 0.85 and 0.90 for a third, 0.76 and 0.85 for half of it.
 */
export class ArchivePace {
  readonly #clock: Clock;
  readonly #pausePerStep: number;
  #isPublishing = false;
  #isClosed = false;
  #endPause = () => {};

  /** @param percent Of the time, that is spent with work while events are published: 10 to 100. */
  constructor(clock: Clock, percent: number) {
    this.#clock = clock;
    this.#pausePerStep = (100 - percent) / percent;
  }

  /** Something was published here. */
  notePublish(): void {
    this.#isPublishing = true;
  }

  /** No rests any more, nor the rest of one: who closes waits for what has begun. */
  close(): void {
    this.#isClosed = true;
    this.#endPause();
  }

  /** Does a step, and rests if there should be a rest before the next. */
  async step<T>(work: () => Promise<T>): Promise<T> {
    const startMs = this.#clock.now();
    this.#isPublishing = false;
    const result = await work();
    const tookMs = Math.min(this.#clock.now() - startMs, MAX_COUNTED_MS);
    const pauseMs = Math.round(tookMs * this.#pausePerStep);
    if (pauseMs > 0 && this.#isPublishing && !this.#isClosed) await this.#pause(pauseMs);
    return result;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.setTimeout(resolve, ms);
      // A timer does not keep a process alive, so one that ends must not wait for it.
      this.#endPause = () => {
        this.#clock.clearTimeout(timer);
        resolve();
      };
    });
  }
}
