import type { LogMark, TaskMark } from "../contracts/records.ts";

/** Returns whether a task is at a mark: same incarnation and, where given, same version and length. */
export function isAtMark(
  { incarnation, version, length }: Readonly<LogMark>,
  mark: Readonly<TaskMark>,
): boolean {
  return incarnation === mark.incarnation &&
    (mark.version === undefined || version === mark.version) &&
    (mark.length === undefined || length === mark.length);
}
