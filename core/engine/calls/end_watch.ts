import type { TaskHead } from "../../contracts/records.ts";
import type { TaskStatus } from "../../protocol/status.ts";
import { isTerminal } from "../../protocol/status.ts";
import type { EngineContext } from "../../context/context.ts";
import { taskNotFound, taskReplaced } from "../../context/refusals.ts";
import type { Tails } from "../../streams/tails.ts";

/** The end of a task: its final status, or its deletion. */
export type Ending =
  | Extract<TaskStatus, "completed" | "failed" | "timeout" | "cancelled">
  | "deleted";

/** A watch for the end of a task. */
export interface EndWatch {
  /** The watched incarnation. A later one with the same id is a different task. */
  incarnation: string;
  /** Stops watching. Safe to call twice. */
  stop(): void;
}

/**
 * Calls `onEnd` once when a task ends, so that a producer can stop.
 *
 * @param incarnation The incarnation to watch. @default the first one seen
 * @returns A function that stops watching.
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
  await watch.check();
  return () => watch.stop();
}

/**
 * Watches a task that must exist.
 *
 * @throws {TaskcastError} `TASK_NOT_FOUND` if it does not, or not in this incarnation;
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
    watch.update(head);
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
      if (signal.ended) void this.check();
    });
    if (this.#isStopped) return void unsubscribe(); // The task ended during the subscription.
    this.#unsubscribe = unsubscribe;
    this.#stopPolling = tails.onPoll(() => void this.check());
  }

  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#stopPolling?.();
    void this.#unsubscribe?.();
  }

  /** Reads the task. If the store cannot be reached, the next poll tries again. */
  async check(): Promise<void> {
    try {
      this.update(await this.#context.reader.getTask(this.#taskId));
    } catch (error) {
      this.#context.report(error, { operation: "watch for the end", taskId: this.#taskId });
    }
  }

  /** Calls `onEnd` if the task has ended, is gone, or is a different incarnation. */
  update(head: TaskHead | undefined): void {
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
