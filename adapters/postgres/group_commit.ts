import { isHopeless, late, tooMany } from "./connection/errors.ts";

/** How a group is committed, and its limits. */
export interface GroupCommitOptions<Item, Result> {
  /**
   * Commits items together, all or none, and returns their results in order.
   *
   * @param isWanted Returns whether any caller still waits. A group may have to wait for the one
   *   before it, and its items may time out meanwhile.
   */
  commit(items: readonly Item[], isWanted: () => boolean): Promise<Result[]>;
  /** Approximate bytes of an item. */
  sizeOf(item: Item): number;
  /** Milliseconds that an item may take, including its wait for a group. */
  timeoutMs: number;
  /** Maximum number of waiting and pending items; more are refused. */
  maxPending: number;
}

/** An item that waits for its group. */
interface Entry<Item, Result> {
  item: Item;
  /** It timed out, and its caller got the error. */
  isOver: boolean;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/** Maximum items of a transaction: each holds a lock. */
const MAX_ITEMS = 200;

/** Maximum bytes of a transaction, which becomes one text; a single larger item is allowed. */
const MAX_BYTES = 8 * 1024 * 1024;

/**
 * Commits in groups: items that arrive during a transaction share the next one. A group takes a few
 * round trips and one disk flush, however many items it has.
 */
export class GroupCommit<Item, Result> {
  readonly #options: GroupCommitOptions<Item, Result>;
  #waiting: Entry<Item, Result>[] = [];
  #pending = 0;
  #running = false;

  constructor(options: GroupCommitOptions<Item, Result>) {
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
    await Promise.resolve(); // Items of this turn go together.
    while (this.#waiting.length > 0) await this.#commit(this.#next());
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

  async #commit(entries: readonly Entry<Item, Result>[]): Promise<void> {
    const group = entries.filter(({ isOver }) => !isOver);
    if (group.length === 0) return;
    try {
      const results = await this.#options.commit(
        group.map(({ item }) => item),
        () => group.some(({ isOver }) => !isOver),
      );
      for (const [i, { resolve }] of group.entries()) resolve(results[i]!);
    } catch (error) {
      if (!isHopeless(error) || group.length === 1) {
        for (const { reject } of group) reject(error);
        return;
      }
      // Nothing was stored, and one item will always fail: splits the group in order until it is
      // alone.
      const middle = group.length >> 1;
      await this.#commit(group.slice(0, middle));
      await this.#commit(group.slice(middle));
    }
  }
}
