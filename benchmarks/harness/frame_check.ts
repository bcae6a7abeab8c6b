const LF = 10;
const EVENT = 101; // e
const DATA = 100; // d
/** Bytes before an event's number in its frame. */
const BEFORE_INDEX = 'data: {"filteredIndex":'.length;
const DONE = new TextEncoder().encode("event: taskcast.done");
/** Longest line, split between two reads, that is joined. */
const MAX_LINE_BYTES = 1024 * 1024;

/** Violations of order that a reader saw. */
export interface Faults {
  /** Numbers that never arrived. */
  missing: number;
  /** Numbers that arrived again. */
  doubled: number;
  /** Numbers that arrived for the first time after a higher one. */
  outOfOrder: number;
}

/**
 * Reads SSE as bytes and follows the numbers of its events. It hops from line break to line break
 * and parses nothing but that number, so that it can keep up with a server at full speed.
 */
export class FrameCheck {
  readonly faults: Faults = { missing: 0, doubled: 0, outOfOrder: 0 };
  events = 0;
  done = false;
  readonly #skipped = new Set<number>();
  readonly #onEvent?: (line: Uint8Array, index: number) => void;
  readonly #every: number;
  #next: number;
  #rest = new Uint8Array(0);

  /**
   * @param first The first number to expect.
   * @param onEvent Called with the data line of every `every`-th event.
   * @param every Events between two calls; the others cost the client nothing.
   */
  constructor(
    first: number,
    onEvent?: (line: Uint8Array, index: number) => void,
    every: number = 1,
  ) {
    this.#next = first;
    this.#onEvent = onEvent;
    this.#every = every;
  }

  push(bytes: Uint8Array): void {
    let at = 0;
    if (this.#rest.length > 0) {
      const end = bytes.indexOf(LF);
      const whole = joined(this.#rest, end < 0 ? bytes : bytes.subarray(0, end + 1));
      if (end < 0) {
        if (whole.length > MAX_LINE_BYTES) throw new Error("a line of SSE does not end");
        this.#rest = whole;
        return;
      }
      this.#rest = new Uint8Array(0);
      this.#line(whole, 0, whole.length - 1);
      at = end + 1;
    }
    for (;;) {
      const end = bytes.indexOf(LF, at);
      if (end < 0) break;
      this.#line(bytes, at, end);
      at = end + 1;
    }
    // The caller reuses the buffer.
    if (at < bytes.length) this.#rest = bytes.slice(at);
  }

  #line(bytes: Uint8Array, from: number, to: number): void {
    if (bytes[from] === EVENT && to - from === DONE.length) {
      this.done ||= bytes[from + 16] === DONE[16] && bytes[from + 17] === DONE[17];
    } else if (bytes[from] === DATA && bytes[from + BEFORE_INDEX - 1] === 58) {
      let index = 0;
      for (let at = from + BEFORE_INDEX;; at++) {
        const digit = bytes[at]! - 48;
        if (!(digit >= 0 && digit <= 9)) break;
        index = 10 * index + digit;
      }
      this.#saw(index);
      if (index % this.#every === this.#every - 1) this.#onEvent?.(bytes.subarray(from, to), index);
    }
  }

  #saw(index: number): void {
    this.events++;
    if (index === this.#next) {
      this.#next++;
    } else if (index > this.#next) {
      for (let skipped = this.#next; skipped < index; skipped++) this.#skipped.add(skipped);
      this.faults.missing += index - this.#next;
      this.#next = index + 1;
    } else if (this.#skipped.delete(index)) {
      this.faults.outOfOrder++;
      this.faults.missing--;
    } else {
      this.faults.doubled++;
    }
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
