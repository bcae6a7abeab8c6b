import type { Commit, LiveExpectation } from "../../contracts/short_term_store.ts";

/** Returns whether a commit expects a live task. */
export function isLive(expect: Commit["expect"]): expect is "live" | LiveExpectation {
  return expect === "live" || (typeof expect === "object" && expect.live === true);
}

/**
 * Returns whether a commit to a live task must be refused with `REPLACED`.
 *
 * @param incarnation The incarnation of the stored task.
 */
export function isReplaced(expect: Commit["expect"], incarnation: string): boolean {
  return typeof expect === "object" && expect.live === true &&
    expect.incarnation !== undefined && expect.incarnation !== incarnation;
}
