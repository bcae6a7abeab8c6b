import type { RevisionExpectation, TaskRevision } from "../contracts/records.ts";

/** Returns whether a task is at a mark: same incarnation and, where given, same version and length. */
export function isAtRevision(
  { incarnation, version, length }: Readonly<TaskRevision>,
  mark: Readonly<RevisionExpectation>,
): boolean {
  return incarnation === mark.incarnation &&
    (mark.version === undefined || version === mark.version) &&
    (mark.length === undefined || length === mark.length);
}
