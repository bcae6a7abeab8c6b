import { TaskcastError } from "@taskcast/core/protocol";

/**
 * Returns the error for a script that found part of a task's data missing; `undefined` for other
 * messages.
 */
export function damagedError(message: string): TaskcastError | undefined {
  const part = /^(?:ERR )?TASKCAST_DAMAGED (\w+)/.exec(message)?.[1];
  if (part === undefined) return undefined;
  return new TaskcastError(
    "DATA_LOST",
    `Cannot use this task: Redis lost part of its data ("${part}"); restore Redis or delete the task`,
    { details: { part } },
  );
}
