import type { TaskHead } from "../contracts/records.ts";
import type {
  FoldPage,
  FoldQuery,
  ListPage,
  ListQuery,
  LogPage,
  LogQuery,
  TaskReader,
} from "../contracts/task_reader.ts";
import { TaskcastError } from "../protocol/errors.ts";
import type { EventFilter } from "../protocol/event.ts";
import type { EngineContext } from "../context/context.ts";
import { IncarnationReader } from "./incarnation_reader.ts";

/** Thrown if the waiter closes before its read has finished. */
export class Cancelled extends Error {}

/** A caller that waits for a store. */
export interface Waiter {
  /** Set once the caller no longer wants the result. */
  readonly closed: boolean;
  /** Ends the current wait; set while there is one. */
  wake?: () => void;
}

/**
 * Reads for streams that have begun. While the store cannot be reached it waits and retries, because
 * ending the stream would only make the client reconnect.
 *
 * Its methods throw {@linkcode Cancelled} if the waiter closes meanwhile.
 */
export class RetryingReader implements TaskReader {
  readonly #context: EngineContext;
  readonly #waiter: Waiter;
  readonly #incarnation?: string;

  /** @param incarnation Reads only this incarnation; the task is absent in any other. @default any */
  constructor(context: EngineContext, waiter: Waiter, incarnation?: string) {
    this.#context = context;
    this.#waiter = waiter;
    this.#incarnation = incarnation;
  }

  getTask(taskId: string, at?: number): Promise<TaskHead | undefined> {
    return this.#retry((reader) => reader.getTask(taskId, at), taskId);
  }

  listTasks(query: ListQuery): Promise<ListPage> {
    return this.#retry((reader) => reader.listTasks(query));
  }

  readLog(taskId: string, query: LogQuery): Promise<LogPage | undefined> {
    return this.#retry((reader) => reader.readLog(taskId, query), taskId);
  }

  readFolds(taskId: string, query: FoldQuery): Promise<FoldPage | undefined> {
    return this.#retry((reader) => reader.readFolds(taskId, query), taskId);
  }

  countMatches(
    taskId: string,
    filter: EventFilter,
    indexes: readonly number[],
    incarnation?: string,
  ): Promise<number[] | undefined> {
    return this.#retry(
      (reader) => reader.countMatches(taskId, filter, indexes, incarnation),
      taskId,
    );
  }

  async #retry<T>(read: (reader: TaskReader) => Promise<T>, taskId?: string): Promise<T> {
    const incarnation = this.#incarnation;
    const { reader: any } = this.#context;
    const reader = incarnation === undefined ? any : new IncarnationReader(any, incarnation);
    for (;;) {
      try {
        return await read(reader);
      } catch (error) {
        if (!(error instanceof TaskcastError) || error.code !== "STORE_UNAVAILABLE") throw error;
        this.#context.report(error, { operation: "subscription", taskId });
        await pause(this.#context, this.#waiter);
      }
    }
  }
}

/**
 * Waits until the store may be asked again.
 *
 * @throws {Cancelled} If the waiter is closed, or closes meanwhile.
 */
export async function pause({ clock, options }: EngineContext, waiter: Waiter): Promise<void> {
  if (waiter.closed) throw new Cancelled();
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = clock.setTimeout(resolve, options.storeRetryMs);
  waiter.wake = resolve;
  await promise;
  waiter.wake = undefined;
  clock.clearTimeout(timer);
  if (waiter.closed) throw new Cancelled();
}

/**
 * Awaits shared work. The work continues for others if this waiter closes.
 *
 * @throws {Cancelled} If the waiter closes first, unless it is draining.
 */
export function awaitUnlessClosed<T>(
  waiter: Waiter & { readonly isDraining: boolean },
  work: Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    waiter.wake = () => {
      if (waiter.closed && !waiter.isDraining) reject(new Cancelled());
    };
    work.then(resolve, reject).finally(() => waiter.wake = undefined);
  });
}
