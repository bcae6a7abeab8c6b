import type { TaskStatus } from "../protocol/task.ts";
import { isTerminal } from "../protocol/task.ts";
import type { EngineContext } from "./context.ts";
import type { Tails } from "./tails.ts";

/** How a task ended. */
export type Ending =
  | Extract<TaskStatus, "completed" | "failed" | "timeout" | "cancelled">
  | "deleted";

/**
 * Calls `onEnd` once when a task ends, so that a producer learns that nobody wants the rest.
 *
 * @returns Stops watching.
 */
export async function watchEnd(
  context: EngineContext,
  tails: Tails,
  taskId: string,
  onEnd: (ending: Ending) => void,
): Promise<() => void> {
  let stopped = false;
  let incarnation: string | undefined;
  const look = async () => {
    try {
      const head = await context.reader.getTask(taskId);
      if (stopped) return;
      incarnation ??= head?.record.incarnation;
      const status = head?.record.task.status;
      if (status === undefined || head?.record.incarnation !== incarnation) end("deleted");
      else if (isTerminal(status)) end(status);
    } catch (error) {
      context.report(error, { operation: "watch for the end", taskId }); // The next poll looks again.
    }
  };
  const unsubscribe = await context.broadcast.subscribe({ taskId }, (signal) => {
    if (signal.ended) void look();
  });
  const stopPolling = tails.onPoll(() => void look());
  const stop = () => {
    if (stopped) return;
    stopped = true;
    stopPolling();
    void unsubscribe();
  };
  const end = (ending: Ending) => {
    stop();
    onEnd(ending);
  };
  await look();
  return stop;
}
