/** Work that waits for its group. */
interface Waiting<Item, Result> {
  item: Item;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/** Items that one transaction takes at most: each holds a lock. */
const MAX_GROUP = 200;

/**
 * Items that arrive while a transaction is under way share the next one: a few round trips and one
 * wait for the disk, however many they are.
 */
export class Group<Item, Result> {
  readonly #carryOut: (items: readonly Item[]) => Promise<Result[]>;
  #waiting: Waiting<Item, Result>[] = [];
  #running = false;

  constructor(carryOut: (items: readonly Item[]) => Promise<Result[]>) {
    this.#carryOut = carryOut;
  }

  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    await Promise.resolve(); // What is asked for in this turn goes together.
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, MAX_GROUP);
      try {
        const results = await this.#carryOut(group.map(({ item }) => item));
        for (const [i, { resolve }] of group.entries()) resolve(results[i]!);
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#running = false;
  }
}
