/** Hands things from callbacks to a loop, in order, holding no more than a bound. */
export class MessageQueue<Item> {
  readonly #maxSize: number;
  readonly #sizeOf: (item: Item) => number;
  #items: Item[] = [];
  #size = 0;
  #end?: { error: unknown };
  #wake = () => {};

  /** @param maxSize After an item with which this is exceeded nothing more is taken. */
  constructor(maxSize: number, sizeOf: (item: Item) => number) {
    this.#maxSize = maxSize;
    this.#sizeOf = sizeOf;
  }

  /** @returns Whether more can be taken. What comes after the end is dropped. */
  push(item: Item): boolean {
    if (this.#end !== undefined) return false;
    this.#items.push(item);
    this.#size += this.#sizeOf(item);
    this.#wake();
    return this.#size <= this.#maxSize;
  }

  /** After what is there the loop ends with this error; the first end counts. */
  end(error: unknown): void {
    this.#end ??= { error };
    this.#wake();
  }

  /** Yields items as they come. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Item, never> {
    for (;;) {
      for (const item of this.#items.splice(0)) {
        yield item;
        this.#size -= this.#sizeOf(item);
      }
      if (this.#items.length > 0) continue;
      if (this.#end !== undefined) throw this.#end.error;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }
}
