import type { StreamControl, Wake } from "../stream_control.ts";

/**
 * The readers at the end of a log or a view, those who have been given something and have not asked
 * again among them. A reader stays in the list while it comes and goes between waiting and reading:
 * to be put into a set and taken out of it for each event would cost more than to look whether it
 * waits.
 */
export class ReaderList {
  /** In the order in which they came. */
  readonly #readers = new Set<StreamControl>();
  #arrivals = 0;
  #waiting = 0;
  /** When the newest round of them began, of some clock; noted where they are many. */
  wokenAtMs: number = -Infinity;

  /** How many are there. */
  get size(): number {
    return this.#readers.size;
  }

  /** How many of them wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** How many have ever come: each has its number. */
  get arrivals(): number {
    return this.#arrivals;
  }

  /** A reader waits, until it rests. It is called again and again unless it does. */
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

  /** It does not wait for the moment. */
  pause(control: StreamControl): void {
    if (!control.isWaiting) return;
    control.isWaiting = false;
    control.wake = undefined;
    this.#waiting--;
  }

  /** It is gone. */
  delete(control: StreamControl): void {
    this.pause(control);
    this.#readers.delete(control);
    control.arrival = undefined;
  }

  /** All of them, those who come meanwhile too. */
  [Symbol.iterator](): IterableIterator<StreamControl> {
    return this.#readers.values();
  }
}
