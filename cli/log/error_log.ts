import type { ErrorContext } from "@taskcast/core";
import { TaskcastError } from "@taskcast/core/protocol";
import type { Logger } from "./logger.ts";

/** Milliseconds in which further errors of the same kind are only counted. */
const QUIET_MS = 10_000;

/** Maximum number of kinds; messages that differ each time must not fill the memory. */
const MAX_KINDS = 100;

interface Kind {
  quietUntilMs: number;
  repeats: number;
}

/**
 * Returns a logger of errors that no caller receives. A store that is down fails every request, so each
 * kind of error is logged once, and afterwards only with its number of repetitions.
 */
export function createErrorLog(
  log: Pick<Logger, "error">,
  now: () => number = Date.now,
): (error: unknown, context: ErrorContext) => void {
  const kinds = new Map<string, Kind>();
  return (error, { operation, taskId, requestId }) => {
    // Only the method of a request, since its path names the task.
    const name = error instanceof TaskcastError ? error.code : String(error);
    const kind = `${operation.split(" /")[0]} ${name}`;
    const known = kinds.get(kind);
    if (known !== undefined && now() < known.quietUntilMs) {
      known.repeats++;
      return;
    }
    const repeats = known?.repeats ?? 0;
    kinds.delete(kind);
    if (kinds.size >= MAX_KINDS) kinds.delete(kinds.keys().next().value!);
    kinds.set(kind, { quietUntilMs: now() + QUIET_MS, repeats: 0 });
    const ofTask = taskId === undefined ? operation : `${operation} of task ${taskId}`;
    const where = requestId === undefined ? ofTask : `${ofTask}, request ${requestId}`;
    const since = repeats === 0 ? "" : ` (and ${repeats} more like it)`;
    const what = error instanceof TaskcastError ? error.message : stackOf(error);
    log.error(`${where}: ${what}${since}`, {
      operation,
      taskId,
      requestId,
      code: error instanceof TaskcastError ? error.code : undefined,
      repeats: repeats === 0 ? undefined : repeats,
    });
  };
}

/** Returns the stack, for errors that are not our own: their origin matters. */
function stackOf(error: unknown): string {
  return error instanceof Error ? error.stack ?? String(error) : String(error);
}
