import { invalidInput } from "./errors.ts";

/**
 * The form of a task's id. Ids of nothing but dots are none: `.` and `..` mean something in a path,
 * encoded or not, so such a task could be created and never be reached.
 */
export const TASK_ID_PATTERN: RegExp = /^(?!\.+$)[A-Za-z0-9._:~-]{1,128}$/;

/** Says what {@linkcode TASK_ID_PATTERN} wants, for messages. */
export const TASK_ID_RULE =
  "must have 1 to 128 characters of A-Z a-z 0-9 . _ : ~ -, and not only dots";

/**
 * Requires a task's id.
 *
 * @param path The name of the value, for the message.
 * @throws {TaskcastError} `INVALID_INPUT`.
 */
export function assertTaskId(id: unknown, path = "id"): asserts id is string {
  if (typeof id !== "string" || !TASK_ID_PATTERN.test(id)) throw invalidInput(path, TASK_ID_RULE);
}

/**
 * The path of a task at a server, without a slash at its end. Clients make every address with it:
 * an id that is none must not become the address of something else.
 *
 * @throws {TaskcastError} `INVALID_INPUT` if it is no task's id.
 */
export function taskPath(taskId: string): string {
  assertTaskId(taskId, "taskId");
  return `/tasks/${encodeURIComponent(taskId)}`;
}
