import type { RevisionExpectation, TaskRevision } from "../contracts/records.ts";

/**
 * Returns whether a task is at the expected revision: same incarnation and, where given, same version and
 * length. Without an expectation every revision is.
 */
export function isAtRevision(
  { incarnation, version, length }: Readonly<TaskRevision>,
  expected: Readonly<RevisionExpectation> | undefined,
): boolean {
  return expected === undefined || incarnation === expected.incarnation &&
      (expected.version === undefined || version === expected.version) &&
      (expected.length === undefined || length === expected.length);
}
