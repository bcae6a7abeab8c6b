// Functions on ascending lists of event indexes. Appending takes constant time, searching is
// binary.

/** Returns how many numbers of an ascending list are below `limit`. */
export function countBelow(sorted: readonly number[], limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Merges ascending lists, limited to the range `[from, to]`.
 *
 * @param backward Whether the result descends.
 */
export function* merged(
  lists: readonly (readonly number[])[],
  from: number,
  to: number,
  backward: boolean,
): Generator<number, void> {
  const places = lists.map((list) =>
    backward ? countBelow(list, to + 1) - 1 : countBelow(list, from)
  );
  for (;;) {
    let best: number | undefined;
    let owner = -1;
    for (let i = 0; i < lists.length; i++) {
      const index = lists[i]![places[i]!];
      if (index === undefined) continue;
      if (best === undefined || (backward ? index > best : index < best)) {
        best = index;
        owner = i;
      }
    }
    if (best === undefined || best < from || best > to) return;
    yield best;
    places[owner]! += backward ? -1 : 1;
  }
}
