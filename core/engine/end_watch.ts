import type { TaskHead } from "../contracts/records.ts";
import type { TaskStatus } from "../protocol/status.ts";
import { isTerminal } from "../protocol/status.ts";
import type { EngineContext } from "../context/context.ts";
import { taskNotFound, taskReplaced } from "../context/refusals.ts";
import type { Tails } from "../streams/tails.ts";

/** How a task ended. */
export type Ending =
  | Extract<TaskStatus, "completed" | "failed" | "timeout" | "cancelled">
  | "deleted";

/** A task whose end is waited for. */
export interface EndWatch {
  /** The incarnation that is watched: another one is no longer this task. */
  incarnation: string;
  /** Stops watching. Safe to call twice. */
  stop(): void;
}

/**
 * Calls `onEnd` once when a task ends, so that a producer learns that nobody wants the rest.
 *
 * @param incarnation The one that is meant. @default the first that is seen
 * @returns Stops watching.
 */
export async function watchEnd(
  context: EngineContext,
  tails: Tails,
  taskId: string,
  onEnd: (ending: Ending) => void,
  incarnation?: string,
): Promise<() => void> {
  const watch = new Watch(context, taskId, onEnd, incarnation);
  await watch.start(tails);
  await watch.look();
  return () => watch.stop();
}

/**
 * The same, of a task that is there.
 *
 * @throws {TaskcastError} `TASK_NOT_FOUND` if it is not, or not in this incarnation;
 * `STORE_UNAVAILABLE`. Nothing is watched then.
 */
export async function openEndWatch(
  context: EngineContext,
  tails: Tails,
  taskId: string,
  onEnd: (ending: Ending) => void,
  incarnation?: string,
): Promise<EndWatch> {
  const watch = new Watch(context, taskId, onEnd, incarnation);
  await watch.start(tails);
  try {
    const head = await context.reader.getTask(taskId);
    if (head === undefined) throw taskNotFound(taskId);
    const found = head.record.incarnation;
    if (incarnation !== undefined && found !== incarnation) throw taskReplaced(taskId);
    watch.take(head);
    return { incarnation: found, stop: () => watch.stop() };
  } catch (error) {
    watch.stop();
    throw error;
  }
}

class Watch {
  readonly #context: EngineContext;
  readonly #taskId: string;
  readonly #onEnd: (ending: Ending) => void;
  #incarnation?: string;
  #isStopped = false;
  #unsubscribe?: () => void | Promise<void>;
  #stopPolling?: () => void;

  constructor(
    context: EngineContext,
    taskId: string,
    onEnd: (ending: Ending) => void,
    incarnation: string | undefined,
  ) {
    this.#context = context;
    this.#taskId = taskId;
    this.#onEnd = onEnd;
    this.#incarnation = incarnation;
  }

  async start(tails: Tails): Promise<void> {
    const taskId = this.#taskId;
    const unsubscribe = await this.#context.broadcast.subscribe({ taskId }, (signal) => {
      if (signal.ended) void this.look();
    });
    if (this.#isStopped) return void unsubscribe(); // It ended while this began.
    this.#unsubscribe = unsubscribe;
    this.#stopPolling = tails.onPoll(() => void this.look());
  }

  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#stopPolling?.();
    void this.#unsubscribe?.();
  }

  /** Asks the store. If it cannot be reached, the next poll looks again. */
  async look(): Promise<void> {
    try {
      this.take(await this.#context.reader.getTask(this.#taskId));
    } catch (error) {
      this.#context.report(error, { operation: "watch for the end", taskId: this.#taskId });
    }
  }

  /** What the store says of the task. */
  take(head: TaskHead | undefined): void {
    if (this.#isStopped) return;
    this.#incarnation ??= head?.record.incarnation;
    const status = head?.record.task.status;
    const isSame = head?.record.incarnation === this.#incarnation;
    if (status === undefined || !isSame) this.#end("deleted");
    else if (isTerminal(status)) this.#end(status);
  }

  #end(ending: Ending): void {
    this.stop();
    this.#onEnd(ending);
  }
}
