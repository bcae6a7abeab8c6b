/** Maximum length of names that are compared. Longer ones are hardly typing errors, and comparing is quadratic. */
const LONGEST_NAME = 64;

/**
 * Finds the known name that a misspelt one is close to. Case and punctuation do not count, so
 * `log_level` is close to `logLevel`. Otherwise a third of the letters may be wrong, or one name may
 * be the beginning of the other.
 *
 * @returns The closest known name, or `undefined` if none is close.
 *
 * @example A misspelt status
 * ```ts
 * import { didYouMean } from "@taskcast/core/protocol";
 * import assert from "node:assert/strict";
 *
 * assert.equal(didYouMean("complete", ["running", "completed"]), "completed");
 * assert.equal(didYouMean("done", ["running", "completed"]), undefined);
 * ```
 */
export function didYouMean(name: string, known: readonly string[]): string | undefined {
  if (name.length > LONGEST_NAME) return undefined;
  const folded = fold(name);
  // Short names are too similar to allow more than one wrong letter.
  const allowed = Math.max(1, Math.floor(folded.length / 3));
  let closest: string | undefined;
  let least = Math.min(allowed, folded.length - 1) + 1;
  for (const word of known) {
    const other = fold(word);
    if (Math.abs(other.length - folded.length) >= least) continue;
    const edits = distance(folded, other);
    if (edits < least) [closest, least] = [word, edits];
  }
  return closest ?? known.find((word) => isCutShort(folded, fold(word)));
}

/** Letters that two names must share from the beginning, if one goes on where the other ends. */
const SHARED_LETTERS = 3;

/** `warning` is meant as `warn`, and `since` as `since.id`. */
function isCutShort(a: string, b: string): boolean {
  return Math.min(a.length, b.length) >= SHARED_LETTERS && (a.startsWith(b) || b.startsWith(a));
}

/**
 * Says what may have been meant by a name that is not known: `did you mean "types"?`, or
 * `known are levels, types` where none is close.
 *
 * @param name The name that was given.
 * @param known All names that could have been given.
 */
export function hintFor(name: string, known: readonly string[]): string {
  const close = didYouMean(name, known);
  return close === undefined ? `known are ${known.join(", ")}` : `did you mean "${close}"?`;
}

/**
 * Says that a value is none of a few words, and which one may have been meant:
 * `must be one of running, completed; did you mean "completed"?`.
 *
 * @param value The value that was given.
 * @param allowed The words that it could be.
 */
export function notOneOf(value: unknown, allowed: readonly string[]): string {
  const close = typeof value === "string" ? didYouMean(value, allowed) : undefined;
  const hint = close === undefined ? "" : `; did you mean "${close}"?`;
  return `must be one of ${allowed.join(", ")}${hint}`;
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
