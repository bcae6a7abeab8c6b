import type { TaskHead } from "../contracts/records.ts";
import type {
  ListPage,
  ListQuery,
  LogPage,
  LogQuery,
  LogView,
  TaskReader,
} from "../contracts/task_reader.ts";
import { TaskcastError } from "../protocol/errors.ts";
import type { EventFilter } from "../protocol/event.ts";
import type { EngineContext } from "./context.ts";

/** Whoever waits for a store does not want to any more. */
export class NotWanted extends Error {}

/** Who waits. */
export interface Waiter {
  readonly closed: boolean;
  /** Set while there is a wait that can be cut short. */
  wake?: () => void;
}

/**
 * Reads for streams that have begun: while a store cannot be reached they wait and ask again, since
 * their readers keep a connection that would only come back.
 *
 * Its methods throw {@linkcode NotWanted} when the waiter closed meanwhile.
 */
export class PatientReader implements TaskReader {
  readonly #context: EngineContext;
  readonly #waiter: Waiter;

  constructor(context: EngineContext, waiter: Waiter) {
    this.#context = context;
    this.#waiter = waiter;
  }

  getTask(taskId: string): Promise<TaskHead | undefined> {
    return this.#insist((reader) => reader.getTask(taskId), taskId);
  }

  listTasks(query: ListQuery): Promise<ListPage> {
    return this.#insist((reader) => reader.listTasks(query));
  }

  readLog(taskId: string, query: LogQuery): Promise<LogPage | undefined> {
    return this.#insist((reader) => reader.readLog(taskId, query), taskId);
  }

  readView(taskId: string, query: { after: number }): Promise<LogView | undefined> {
    return this.#insist((reader) => reader.readView(taskId, query), taskId);
  }

  countMatches(
    taskId: string,
    filter: EventFilter,
    indexes: readonly number[],
  ): Promise<number[] | undefined> {
    return this.#insist((reader) => reader.countMatches(taskId, filter, indexes), taskId);
  }

  async #insist<T>(read: (reader: TaskReader) => Promise<T>, taskId?: string): Promise<T> {
    const { reader, clock, options } = this.#context;
    for (;;) {
      try {
        return await read(reader);
      } catch (error) {
        if (!(error instanceof TaskcastError) || error.code !== "STORE_UNAVAILABLE") throw error;
        this.#context.report(error, { operation: "subscription", taskId });
        const { promise, resolve } = Promise.withResolvers<void>();
        const timer = clock.setTimeout(resolve, options.storeRetryMs);
        this.#waiter.wake = resolve;
        await promise;
        this.#waiter.wake = undefined;
        clock.clearTimeout(timer);
        if (this.#waiter.closed) throw new NotWanted();
      }
    }
  }
}
