import type { LogPage } from "../contracts/task_reader.ts";

/**
 * The log is not the one that was read before: the store was restored to an earlier state. Whoever
 * reads begins anew.
 */
export class Diverged extends Error {
  override readonly name = "Diverged";
}

/**
 * Whether a page does not go on from what was read through an index: the log has another event
 * there, or ends before it.
 */
export function isLost({ diverged, length }: LogPage, through: number): boolean {
  return diverged === true || length <= through;
}

/** @throws {Diverged} When two entropies of the event at one index are known and differ. */
export function assertSame(a: number | undefined, b: number | undefined): void {
  if (a !== undefined && b !== undefined && a !== b) throw new Diverged();
}
