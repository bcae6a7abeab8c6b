import type { Clock } from "../contracts/clock.ts";

/** Milliseconds of rest at most: a pause that nobody who waits for the archive would notice. */
const MAX_REST_MS = 200;

/**
 * How fast a backlog is archived: with nothing between two writes, unless events are published here
 * meanwhile. Then each write is followed by a rest as long as it was itself, so that archiving takes
 * half of what it could of this process, of the store and of the archive, and publishing goes before.
 * The backlog lies in the store, where an event stays until its task has ended anyway.
 *
 * Publishers of arrays, archive and stores on two processors: 0.78 of the events a second that there
 * are without an archive, and 0.9 with rests.
 */
export class ArchivePace {
  readonly #clock: Clock;
  #isPublishing = false;
  #restsUntilMs = 0;
  #isClosed = false;
  #endRest = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something was published here. */
  published(): void {
    this.#isPublishing = true;
  }

  /**
   * Tasks are begun with.
   *
   * @param restMs For how long there may be rests: behind that it is more urgent to be done.
   */
  begin(restMs: number): void {
    this.#restsUntilMs = this.#clock.now() + restMs;
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
    const nowMs = this.#clock.now();
    const restMs = Math.min(nowMs - startMs, MAX_REST_MS);
    const isPaced = this.#isPublishing && nowMs < this.#restsUntilMs && !this.#isClosed;
    if (restMs > 0 && isPaced) await this.#rest(restMs);
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
