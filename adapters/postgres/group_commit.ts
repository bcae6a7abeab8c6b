import { isHopeless, late, tooMany } from "./connection/errors.ts";

/** How a group works, and its bounds. */
export interface GroupOptions<Item, Result> {
  /**
   * Carries items out together, all or none, and gives their results in the same order.
   *
   * @param isWanted Whether anybody waits for one of them still. A group may have to wait for the one
   *   before it, so the time of its items is over before the time of what is begun now.
   */
  carryOut(items: readonly Item[], isWanted: () => boolean): Promise<Result[]>;
  /** Bytes of an item, more or less. */
  sizeOf(item: Item): number;
  /** Milliseconds that an item may take, the time included in which it waits for its group. */
  timeoutMs: number;
  /** Items that may be waiting or under way before more are refused. */
  maxPending: number;
}

/** Work that waits for its group. */
interface Entry<Item, Result> {
  item: Item;
  /** Its time is over: who asked has been told, and nobody wants it any more. */
  isOver: boolean;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/** Items that one transaction takes at most: each holds a lock. */
const MAX_ITEMS = 200;

/** Bytes that one transaction takes at most, unless one item is larger: they become one text. */
const MAX_BYTES = 8 * 1024 * 1024;

/**
 * Items that arrive while a transaction is under way share the next one: a few round trips and one
 * wait for the disk, however many they are.
 */
export class Group<Item, Result> {
  readonly #options: GroupOptions<Item, Result>;
  #waiting: Entry<Item, Result>[] = [];
  #pending = 0;
  #running = false;

  constructor(options: GroupOptions<Item, Result>) {
    this.#options = options;
  }

  async add(item: Item): Promise<Result> {
    const { timeoutMs, maxPending } = this.#options;
    if (this.#pending >= maxPending) throw tooMany(maxPending);
    this.#pending++;
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      return await new Promise<Result>((resolve, reject) => {
        const entry = { item, isOver: false, resolve, reject };
        timer = setTimeout(() => {
          entry.isOver = true;
          reject(late(timeoutMs));
        }, timeoutMs);
        this.#waiting.push(entry);
        if (!this.#running) void this.#run();
      });
    } finally {
      clearTimeout(timer);
      this.#pending--;
    }
  }

  async #run(): Promise<void> {
    this.#running = true;
    await Promise.resolve(); // What is asked for in this turn goes together.
    while (this.#waiting.length > 0) await this.#carryOut(this.#next());
    this.#running = false;
  }

  #next(): Entry<Item, Result>[] {
    let count = 0;
    let bytes = 0;
    for (const { item, isOver } of this.#waiting) {
      if (count === MAX_ITEMS) break;
      if (!isOver) bytes += this.#options.sizeOf(item);
      if (bytes > MAX_BYTES && count > 0) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #carryOut(entries: readonly Entry<Item, Result>[]): Promise<void> {
    const group = entries.filter(({ isOver }) => !isOver);
    if (group.length === 0) return;
    try {
      const results = await this.#options.carryOut(
        group.map(({ item }) => item),
        () => group.some(({ isOver }) => !isOver),
      );
      for (const [i, { resolve }] of group.entries()) resolve(results[i]!);
    } catch (error) {
      if (!isHopeless(error) || group.length === 1) {
        for (const { reject } of group) reject(error);
        return;
      }
      // One of them fails whatever it is with, and nothing was stored: in halves, in their order,
      // until it is alone.
      const middle = group.length >> 1;
      await this.#carryOut(group.slice(0, middle));
      await this.#carryOut(group.slice(middle));
    }
  }
}
