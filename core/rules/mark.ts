import type { LogMark, TaskMark } from "../contracts/records.ts";

/** Whether a task is at a mark: in its life and, where these are given, at its version and length. */
export function isAtMark(
  { incarnation, version, length }: Readonly<LogMark>,
  mark: Readonly<TaskMark>,
): boolean {
  return incarnation === mark.incarnation &&
    (mark.version === undefined || version === mark.version) &&
    (mark.length === undefined || length === mark.length);
}
