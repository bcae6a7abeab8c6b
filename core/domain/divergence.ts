import type { LogQuery } from "../contracts/task_reader.ts";

/**
 * Returns whether a log no longer continues from the position of a query, as after a store was
 * restored to an earlier state: it ends before the caller's event, or has a different event there.
 *
 * @param length Number of events in the log.
 * @param entropy The entropy of the event at `after`; unknown if that event was trimmed.
 */
export function isDiverged(
  { after, afterEntropy }: Pick<LogQuery, "after" | "afterEntropy">,
  length: number,
  entropy: number | undefined,
): boolean {
  if (afterEntropy === undefined || after < 0) return false;
  return after >= length || (entropy !== undefined && entropy !== afterEntropy);
}
