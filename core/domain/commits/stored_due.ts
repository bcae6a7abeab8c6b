import type { DueKind, DueTimes } from "../../contracts/records.ts";

/** Due times as stored. */
export type StoredDueTimes = { [Kind in DueKind]?: number };

/**
 * Returns the due times that a store has after a commit.
 *
 * @param due The due times of the commit.
 * @param leaseMs The expiry of the lease before it; Unix milliseconds.
 */
export function storedDue(due: DueTimes, leaseMs: number | undefined): StoredDueTimes {
  const { lease, ...stored }: DueTimes = due;
  const kept = lease === "keep" ? leaseMs : lease;
  return kept === undefined ? stored : { ...stored, lease: kept };
}
