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
import type { EventFilter } from "../protocol/event.ts";

/** Bounds the bytes of each read, because events and texts may be large. */
export class BoundedReader implements TaskReader {
  readonly #reader: TaskReader;
  readonly #maxBytes: number;

  constructor(reader: TaskReader, maxBytes: number) {
    this.#reader = reader;
    this.#maxBytes = maxBytes;
  }

  readLog(taskId: string, query: LogQuery): Promise<LogPage | undefined> {
    return this.#reader.readLog(taskId, { maxBytes: this.#maxBytes, ...query });
  }

  getTask(taskId: string, at?: number): Promise<TaskHead | undefined> {
    return this.#reader.getTask(taskId, at);
  }

  listTasks(query: ListQuery): Promise<ListPage> {
    return this.#reader.listTasks(query);
  }

  readFolds(taskId: string, query: FoldQuery): Promise<FoldPage | undefined> {
    return this.#reader.readFolds(taskId, { maxBytes: this.#maxBytes, ...query });
  }

  countMatches(
    taskId: string,
    filter: EventFilter,
    indexes: readonly number[],
    incarnation?: string,
  ): Promise<number[] | undefined> {
    return this.#reader.countMatches(taskId, filter, indexes, incarnation);
  }
}
