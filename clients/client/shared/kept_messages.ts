import type { SseMessage } from "../connection/sse_messages.ts";
import { sizeOf } from "../connection/sse_messages.ts";
import type { Numbered, Standing } from "./protocol.ts";
import { decode, exactIndex, isOtherLog } from "./protocol.ts";

/** Start of a stream. */
export interface Origin {
  /** Key of the start: equal starts have equal keys. */
  start: string;
  /** Cursor at the start, if there was one. */
  cursor?: string;
  /** Set if the stream begins at the first event of the log. */
  isBeginning: boolean;
}

/** Newest messages of the leader's stream, kept up to a bound for tabs that join later. */
export class KeptMessages {
  readonly #origin: Origin;
  readonly #maxChars: number;
  #items: Numbered[] = [];
  /** Position of the oldest kept message in `#items`; those before it are dropped. */
  #first = 0;
  #chars = 0;
  #n = 0;
  /** The kept messages come after this cursor; `undefined` stands for the start of the stream. */
  #after?: string;

  /** @param maxChars Approximate bound of the kept messages. */
  constructor(origin: Origin, maxChars: number) {
    this.#origin = origin;
    this.#after = origin.cursor;
    this.#maxChars = maxChars;
  }

  /** Number of messages so far. */
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
    // Removed in bulk, so that dropping costs no more than adding.
    if (this.#first * 2 > this.#items.length) {
      this.#items.splice(0, this.#first);
      this.#first = 0;
    }
    return item;
  }

  /**
   * Returns all messages that a follower lacks, and possibly some that it already has.
   *
   * @returns `undefined` if messages that it lacks are not kept.
   */
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

  /** The oldest position after which all messages are kept, if it is known. */
  get oldest(): { incarnation: string; index: number } | undefined {
    if (this.#after !== undefined) return decode(this.#after);
    const first = this.#items.slice(this.#first).find(({ message }) => message.id !== undefined);
    const oldest = decode(first?.message.id);
    return oldest && this.#origin.isBeginning ? { ...oldest, index: -1 } : oldest;
  }
}
