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

/** Whoever waits for a store does not want to any more. */
export class Cancelled extends Error {}

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
 * Its methods throw {@linkcode Cancelled} when the waiter closed meanwhile.
 */
export class RetryingReader implements TaskReader {
  readonly #context: EngineContext;
  readonly #waiter: Waiter;
  readonly #incarnation?: string;

  /** @param incarnation Of the task that is read; in another one it is absent. @default any */
  constructor(context: EngineContext, waiter: Waiter, incarnation?: string) {
    this.#context = context;
    this.#waiter = waiter;
    this.#incarnation = incarnation;
  }

  getTask(taskId: string, at?: number): Promise<TaskHead | undefined> {
    return this.#insist((reader) => reader.getTask(taskId, at), taskId);
  }

  listTasks(query: ListQuery): Promise<ListPage> {
    return this.#insist((reader) => reader.listTasks(query));
  }

  readLog(taskId: string, query: LogQuery): Promise<LogPage | undefined> {
    return this.#insist((reader) => reader.readLog(taskId, query), taskId);
  }

  readFolds(taskId: string, query: FoldQuery): Promise<FoldPage | undefined> {
    return this.#insist((reader) => reader.readFolds(taskId, query), taskId);
  }

  countMatches(
    taskId: string,
    filter: EventFilter,
    indexes: readonly number[],
    incarnation?: string,
  ): Promise<number[] | undefined> {
    return this.#insist(
      (reader) => reader.countMatches(taskId, filter, indexes, incarnation),
      taskId,
    );
  }

  async #insist<T>(read: (reader: TaskReader) => Promise<T>, taskId?: string): Promise<T> {
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
 * Waits until a store may be asked again.
 *
 * @throws {Cancelled} When the waiter is closed, or closes meanwhile.
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
 * What others make, too, and go on making when the waiter closes.
 *
 * @throws {Cancelled} When it closes first and is owed nothing.
 */
export function unlessClosed<T>(
  waiter: Waiter & { readonly isOwed: boolean },
  made: Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    waiter.wake = () => {
      if (waiter.closed && !waiter.isOwed) reject(new Cancelled());
    };
    made.then(resolve, reject).finally(() => waiter.wake = undefined);
  });
}
