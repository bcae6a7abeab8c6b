/** The known name that a misspelt one is close to, if there is one. */
export function didYouMean(name: string, known: readonly string[]): string | undefined {
  const scored = known.map((word) => ({ word, distance: distance(fold(name), fold(word)) }))
    .toSorted((a, b) => a.distance - b.distance);
  const best = scored[0];
  // A third of the letters may be wrong; short names are too much alike for more than one.
  const allowed = Math.max(1, Math.floor(fold(name).length / 3));
  return best !== undefined && best.distance <= allowed ? best.word : undefined;
}

/** `log_level`, `log-level` and `loglevel` are all meant as `logLevel`. */
function fold(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}

/** Edits from one word to another; swapped neighbours are one (optimal string alignment). */
function distance(a: string, b: string): number {
  let [before, last]: number[][] = [[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      row[j] = Math.min(last![j]! + 1, row[j - 1]! + 1, last![j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        row[j] = Math.min(row[j]!, before![j - 2]! + 1);
      }
    }
    [before, last] = [last!, row];
  }
  return last![b.length]!;
}
