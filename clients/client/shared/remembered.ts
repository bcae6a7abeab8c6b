import type { SseMessage } from "../sse_messages.ts";
import { sizeOf } from "../sse_messages.ts";
import type { Numbered, Standing } from "./protocol.ts";
import { decode, exactIndex, isOtherLog } from "./protocol.ts";

/** Where a stream began. */
export interface Origin {
  /** Names it: what begins alike has the same. */
  start: string;
  /** The cursor that it began at, if there was one. */
  cursor?: string;
  /** It has everything that the log has. */
  isBeginning: boolean;
}

/** The newest messages of a stream, as many as a bound allows. */
export class Remembered {
  readonly #origin: Origin;
  readonly #maxChars: number;
  #items: Numbered[] = [];
  #first = 0;
  #chars = 0;
  #n = 0;
  /** Cursor before the remembered messages; `undefined`: the start of the stream. */
  #after?: string;

  /** @param maxChars How much is remembered, about. */
  constructor(origin: Origin, maxChars: number) {
    this.#origin = origin;
    this.#after = origin.cursor;
    this.#maxChars = maxChars;
  }

  /** How many messages there were. */
  get n(): number {
    return this.#n;
  }

  add(message: SseMessage): Numbered {
    const item = { n: ++this.#n, message };
    this.#items.push(item);
    this.#chars += sizeOf(message);
    while (this.#chars > this.#maxChars) {
      const dropped = this.#items[this.#first]!.message;
      this.#chars -= sizeOf(dropped);
      this.#after = dropped.id ?? this.#after;
      this.#first++;
    }
    // Only now and then, so that dropping costs no more than adding.
    if (this.#first * 2 > this.#items.length) {
      this.#items.splice(0, this.#first);
      this.#first = 0;
    }
    return item;
  }

  /** Everything that a follower lacks, maybe also what it has; `undefined` if that is not there. */
  after({ start, cursor, term, n }: Standing, ownTerm: string): Numbered[] | undefined {
    const before = this.#n - (this.#items.length - this.#first);
    if (term === ownTerm && n >= before && n <= this.#n) {
      return this.#items.slice(this.#first + n - before);
    }
    const all = () => this.#items.slice(this.#first);
    if (before === 0 && start === this.#origin.start) return all();
    const oldest = this.oldest;
    if (oldest === undefined) return undefined;
    if (isOtherLog(cursor, this.#after)) return undefined;
    const index = exactIndex(cursor, oldest.incarnation);
    return index !== undefined && index >= oldest.index ? all() : undefined;
  }

  /** Everything that comes after this place in the log is remembered, if anything is known of it. */
  get oldest(): { incarnation: string; index: number } | undefined {
    if (this.#after !== undefined) return decode(this.#after);
    const first = this.#items.slice(this.#first).find(({ message }) => message.id !== undefined);
    const oldest = decode(first?.message.id);
    return oldest && this.#origin.isBeginning ? { ...oldest, index: -1 } : oldest;
  }
}
