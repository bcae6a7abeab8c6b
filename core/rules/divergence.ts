import type { LogQuery } from "../contracts/task_reader.ts";

/**
 * Whether a log is another one than that which a query goes on from, as after a store was restored
 * to an earlier state: it ends before the event that the caller has, or has another one there.
 *
 * @param length Events in the log.
 * @param entropy The entropy of the event at `after`; of a trimmed one nothing is known.
 */
export function isDiverged(
  { after, afterEntropy }: Pick<LogQuery, "after" | "afterEntropy">,
  length: number,
  entropy: number | undefined,
): boolean {
  if (afterEntropy === undefined || after < 0) return false;
  return after >= length || (entropy !== undefined && entropy !== afterEntropy);
}
