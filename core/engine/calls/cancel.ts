import type { EngineContext } from "../../context/context.ts";
import type { TaskHead } from "../../contracts/records.ts";
import { confirmCancel, requestCancel } from "../../domain/transitions/cancel.ts";
import type { Change } from "../../domain/transitions/transition.ts";
import type { CancelRequest, TaskCancel } from "../../protocol/cancel.ts";
import type { Task } from "../../protocol/task.ts";
import { isTerminal } from "../../protocol/status.ts";
import type { Tails } from "../../streams/tails.ts";
import type { WriteExpectation, Writer } from "../writer.ts";
import { Unchanged } from "../writer.ts";

/**
 * The channel on which producers of a task learn of a request to cancel it. No task can have this id, so
 * producers are not woken by the events that they publish.
 */
function stopChannel(taskId: string): string {
  return `@stop/${taskId}`;
}

/** Requests that a task is stopped, and wakes its producers. Returns the task. */
export async function cancelTask(
  context: EngineContext,
  writer: Writer,
  taskId: string,
  request: CancelRequest,
  { incarnation }: WriteExpectation,
): Promise<Task> {
  const { change, task } = await changeOnce(
    writer,
    taskId,
    incarnation,
    (record, nowMs) => requestCancel(record, request, nowMs),
  );
  if (change !== undefined) await wakeProducers(context, taskId);
  return task;
}

/** Confirms that the producer saw the request to cancel. Returns the task. */
export async function confirmTaskCancel(
  writer: Writer,
  taskId: string,
  { incarnation, lease }: WriteExpectation,
): Promise<Task> {
  const { task } = await changeOnce(
    writer,
    taskId,
    incarnation,
    (record, nowMs) => confirmCancel(record, lease, nowMs),
  );
  return task;
}

/** Applies a rule that returns `undefined` if its change was made before. */
async function changeOnce(
  writer: Writer,
  taskId: string,
  incarnation: string | undefined,
  rule: (record: TaskHead["record"], nowMs: number) => Change | undefined,
): Promise<{ change?: Change; task: Task }> {
  try {
    const change = await writer.change(taskId, (record, nowMs) => {
      const change = rule(record, nowMs);
      if (change === undefined) throw new Unchanged(record);
      return change;
    }, { incarnation });
    return { change, task: change.record.task };
  } catch (error) {
    if (error instanceof Unchanged) return { task: error.record.task };
    throw error;
  }
}

async function wakeProducers(context: EngineContext, taskId: string): Promise<void> {
  try {
    await context.broadcast.publish({ taskId: stopChannel(taskId), from: 0, length: 0 });
  } catch (error) {
    // A lost wake-up costs producers a poll.
    context.report(error, { operation: "broadcast", taskId });
  }
}

/**
 * Calls `onCancel` once when somebody asks to cancel a task, and `onEnd` once the task has ended or is gone.
 *
 * @param incarnation The incarnation to watch. @default the first one seen
 * @returns A function that stops watching.
 */
export async function watchCancel(
  context: EngineContext,
  tails: Tails,
  taskId: string,
  onCancel: (cancel: TaskCancel) => void,
  incarnation?: string,
): Promise<() => void> {
  let isStopped = false;
  const stop = () => {
    if (isStopped) return;
    isStopped = true;
    stopPolling();
    void unsubscribe();
  };
  const check = async () => {
    try {
      const head = await context.reader.getTask(taskId);
      if (isStopped) return;
      incarnation ??= head?.record.incarnation;
      const record = head?.record;
      if (record === undefined || record.incarnation !== incarnation) return stop();
      const { cancel, status } = record.task;
      if (isTerminal(status)) return stop();
      if (cancel === undefined) return;
      stop();
      onCancel(cancel);
    } catch (error) {
      context.report(error, { operation: "watch for a request to cancel", taskId });
    }
  };
  const unsubscribe = await context.broadcast.subscribe(
    { taskId: stopChannel(taskId) },
    () => void check(),
  );
  const stopPolling = tails.onPoll(() => void check());
  await check();
  return stop;
}
