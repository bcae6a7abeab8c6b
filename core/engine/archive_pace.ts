import type { Clock } from "../contracts/clock.ts";

/**
 * A write that took longer counts as if it took so many milliseconds: an archive that is slow for
 * other reasons than its load, say far away, is not made slower still.
 */
const MAX_COUNTED_MS = 200;

/**
 * How fast a backlog is archived: with nothing between two writes, unless events are published here
 * meanwhile. Then each write is followed by a rest, by default as long as it was itself, so that
 * archiving takes half of what it could of this process, of the store and of the archive, and
 * publishing goes before. The backlog lies in the store, where an event stays until its task has
 * ended anyway.
 *
 * Publishers of arrays, archive and stores on two processors: 0.78 of the events a second that there
 * are without an archive, and 0.86 with rests.
 */
export class ArchivePace {
  readonly #clock: Clock;
  readonly #restPerWrite: number;
  #isPublishing = false;
  #isClosed = false;
  #endRest = () => {};

  /** @param percent Of the time, that is spent with writing while events are published: 10 to 100. */
  constructor(clock: Clock, percent: number) {
    this.#clock = clock;
    this.#restPerWrite = (100 - percent) / percent;
  }

  /** Something was published here. */
  published(): void {
    this.#isPublishing = true;
  }

  /** No rests any more, nor the rest of one: who closes waits for what has begun. */
  close(): void {
    this.#isClosed = true;
    this.#endRest();
  }

  /** Writes, and rests if there should be a rest before the next write. */
  async write<T>(write: () => Promise<T>): Promise<T> {
    const startMs = this.#clock.now();
    this.#isPublishing = false;
    const result = await write();
    const tookMs = Math.min(this.#clock.now() - startMs, MAX_COUNTED_MS);
    const restMs = Math.round(tookMs * this.#restPerWrite);
    if (restMs > 0 && this.#isPublishing && !this.#isClosed) await this.#rest(restMs);
    return result;
  }

  #rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.setTimeout(resolve, ms);
      // A timer does not keep a process alive, so one that ends must not wait for it.
      this.#endRest = () => {
        this.#clock.clearTimeout(timer);
        resolve();
      };
    });
  }
}
