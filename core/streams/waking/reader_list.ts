import type { StreamControl, Wake } from "../stream_control.ts";

/**
 * The readers at the end of a log or of shared frames, including those that have been given a chunk and
 * have not asked for the next. A reader stays in the list while it alternates between waiting and reading,
 * because checking a flag is cheaper than adding it to a set and removing it for each event.
 */
export class ReaderList {
  /** The readers in order of arrival. */
  readonly #readers = new Set<StreamControl>();
  #arrivals = 0;
  #waiting = 0;
  /** Start of the newest round, by the scheduler's clock; recorded only for many readers. */
  wokenAtMs: number = -Infinity;

  /** Number of readers. */
  get size(): number {
    return this.#readers.size;
  }

  /** Number of readers that wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Number of readers that ever arrived, which is the newest reader's arrival number. */
  get arrivals(): number {
    return this.#arrivals;
  }

  /** Makes a reader wait. It is woken repeatedly until it is paused or deleted. */
  wait(control: StreamControl, wake: Wake): void {
    if (control.arrival === undefined) {
      control.arrival = ++this.#arrivals;
      this.#readers.add(control);
    }
    control.wake = wake;
    if (control.isWaiting) return;
    control.isWaiting = true;
    this.#waiting++;
  }

  /** Stops waking a reader until it waits again. */
  pause(control: StreamControl): void {
    if (!control.isWaiting) return;
    control.isWaiting = false;
    control.wake = undefined;
    this.#waiting--;
  }

  /** Removes a reader. */
  delete(control: StreamControl): void {
    this.pause(control);
    this.#readers.delete(control);
    control.arrival = undefined;
  }

  /** Iterates over the readers, including those that arrive meanwhile. */
  [Symbol.iterator](): IterableIterator<StreamControl> {
    return this.#readers.values();
  }
}
