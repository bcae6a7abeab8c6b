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

/**
 * Reads one incarnation of a task; the task is absent in any other. Several reads therefore see one log, even
 * if the task is deleted and created again in between.
 */
export class IncarnationReader implements TaskReader {
  readonly #reader: TaskReader;
  readonly #incarnation: string;

  constructor(reader: TaskReader, incarnation: string) {
    this.#reader = reader;
    this.#incarnation = incarnation;
  }

  async getTask(taskId: string, at?: number): Promise<TaskHead | undefined> {
    const head = await this.#reader.getTask(taskId, at);
    return head?.record.incarnation === this.#incarnation ? head : undefined;
  }

  listTasks(query: ListQuery): Promise<ListPage> {
    return this.#reader.listTasks(query);
  }

  async readLog(taskId: string, query: LogQuery): Promise<LogPage | undefined> {
    const page = await this.#reader.readLog(taskId, query);
    return page?.incarnation === this.#incarnation ? page : undefined;
  }

  async readFolds(taskId: string, query: FoldQuery): Promise<FoldPage | undefined> {
    const page = await this.#reader.readFolds(taskId, query);
    return page?.incarnation === this.#incarnation ? page : undefined;
  }

  countMatches(
    taskId: string,
    filter: EventFilter,
    indexes: readonly number[],
  ): Promise<number[] | undefined> {
    return this.#reader.countMatches(taskId, filter, indexes, this.#incarnation);
  }
}
