/** Merges ordered lists. */
export async function* merged<T>(
  lists: readonly AsyncIterable<T>[],
  compare: (a: T, b: T) => number,
): AsyncGenerator<T, void> {
  const iterators = lists.map((list) => list[Symbol.asyncIterator]());
  try {
    const heads = await Promise.all(iterators.map((iterator) => iterator.next()));
    for (;;) {
      let first = -1;
      for (const [at, { done, value }] of heads.entries()) {
        if (!done && (first < 0 || compare(value, heads[first]!.value) < 0)) first = at;
      }
      if (first < 0) return;
      yield heads[first]!.value;
      heads[first] = await iterators[first]!.next();
    }
  } finally {
    await Promise.all(iterators.map((iterator) => iterator.return?.()));
  }
}
