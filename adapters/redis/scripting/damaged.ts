import { TaskcastError } from "@taskcast/core/protocol";

/** The error for what a script answers that finds part of a task's data gone; `undefined` for others. */
export function damagedError(message: string): TaskcastError | undefined {
  const part = /^(?:ERR )?TASKCAST_DAMAGED (\w+)/.exec(message)?.[1];
  if (part === undefined) return undefined;
  return new TaskcastError(
    "DATA_LOST",
    `Cannot use this task: Redis lost part of its data ("${part}"); restore Redis or delete the task`,
    { details: { part } },
  );
}
