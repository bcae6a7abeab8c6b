import type { ErrorContext } from "@taskcast/core";
import { TaskcastError } from "@taskcast/core/protocol";
import type { Logger } from "./logger.ts";

/** Milliseconds in which an error of the same kind is only counted. */
const QUIET_MS = 10_000;

/** Kinds that are remembered; what differs each time must not fill the memory. */
const MAX_KINDS = 100;

interface Kind {
  quietUntilMs: number;
  repeats: number;
}

/**
 * Logs errors that no caller hears of. A store that is down or full fails every request: each kind
 * of error is told once, and then how often it came, not each time.
 */
export function createErrorLog(
  log: Pick<Logger, "error">,
  now: () => number = Date.now,
): (error: unknown, context: ErrorContext) => void {
  const kinds = new Map<string, Kind>();
  return (error, { operation, taskId, requestId }) => {
    // Of a request only the method: the path names the task.
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

/** An error of ours is told by its message; of any other one wants to know where it came from. */
function stackOf(error: unknown): string {
  return error instanceof Error ? error.stack ?? String(error) : String(error);
}
