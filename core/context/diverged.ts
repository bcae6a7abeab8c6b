import type { LogPage } from "../contracts/task_reader.ts";

/**
 * Thrown if the log is not the one that was read before, because the store was restored to an earlier
 * state. Readers then start over.
 */
export class Diverged extends Error {
  override readonly name = "Diverged";
}

/**
 * Returns whether a page does not continue the log that was read through an index: the log has a different
 * event there, or ends before it.
 */
export function isLost({ diverged, length }: LogPage, through: number): boolean {
  return diverged === true || length <= through;
}

/**
 * Requires that two entropies of the event at one index are equal, if both are known.
 *
 * @throws {Diverged} If they differ.
 */
export function assertSame(a: number | undefined, b: number | undefined): void {
  if (a !== undefined && b !== undefined && a !== b) throw new Diverged();
}
