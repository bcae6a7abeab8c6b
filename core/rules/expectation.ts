import type { Commit, LiveExpectation } from "../contracts/short_term_store.ts";

// How stores read what a commit expects.

/** Whether a commit is to a live task, whatever else it demands. */
export function isLive(expect: Commit["expect"]): expect is "live" | LiveExpectation {
  return expect === "live" || (typeof expect === "object" && expect.live === true);
}

/**
 * Whether a commit to a live task must be refused with `REPLACED`.
 *
 * @param incarnation Of the task that is there.
 */
export function isReplaced(expect: Commit["expect"], incarnation: string): boolean {
  return typeof expect === "object" && expect.live === true &&
    expect.incarnation !== undefined && expect.incarnation !== incarnation;
}
