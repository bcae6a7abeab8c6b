/** Bounded queue that passes items from callbacks to a `for await` loop, in order. */
export class MessageQueue<Item> {
  readonly #maxSize: number;
  readonly #sizeOf: (item: Item) => number;
  #items: Item[] = [];
  #size = 0;
  #end?: { error: unknown };
  #wake = () => {};

  /** @param maxSize Size beyond which {@linkcode MessageQueue.push} returns `false`. */
  constructor(maxSize: number, sizeOf: (item: Item) => number) {
    this.#maxSize = maxSize;
    this.#sizeOf = sizeOf;
  }

  /** Adds an item, unless the queue has ended. @returns Whether there is room for more. */
  push(item: Item): boolean {
    if (this.#end !== undefined) return false;
    this.#items.push(item);
    this.#size += this.#sizeOf(item);
    this.#wake();
    return this.#size <= this.#maxSize;
  }

  /** Ends the loop with this error after the items already queued. Only the first end counts. */
  end(error: unknown): void {
    this.#end ??= { error };
    this.#wake();
  }

  /** Yields items until the end. */
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
