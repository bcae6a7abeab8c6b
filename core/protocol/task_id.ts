import { invalidInput } from "./errors.ts";

/**
 * Matches valid task ids. Ids made of dots alone are invalid: URL parsers resolve `.` and `..` in a
 * path even when encoded, so such a task could never be reached.
 */
export const TASK_ID_PATTERN: RegExp = /^(?!\.+$)[A-Za-z0-9._:~-]{1,128}$/;

/** Describes {@linkcode TASK_ID_PATTERN} in messages. */
export const TASK_ID_RULE =
  "must have 1 to 128 characters of A-Z a-z 0-9 . _ : ~ -, and not only dots";

/**
 * Requires a valid task id.
 *
 * @param path Name of the value, for the message.
 * @throws {TaskcastError} `INVALID_INPUT`.
 */
export function assertTaskId(id: unknown, path = "id"): asserts id is string {
  if (typeof id !== "string" || !TASK_ID_PATTERN.test(id)) throw invalidInput(path, TASK_ID_RULE);
}

/**
 * Returns the path of a task on a server, without a trailing slash. Clients build every URL with it,
 * so that an invalid id cannot become the URL of something else.
 *
 * @throws {TaskcastError} `INVALID_INPUT` if the id is not valid.
 */
export function taskPath(taskId: string): string {
  assertTaskId(taskId, "taskId");
  return `/tasks/${encodeURIComponent(taskId)}`;
}
