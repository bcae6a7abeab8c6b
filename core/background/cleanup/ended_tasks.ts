import type { TaskRecord } from "../../contracts/records.ts";
import type { TaskReader } from "../../contracts/task_reader.ts";
import { TERMINAL_STATUSES } from "../../protocol/status.ts";

/** Tasks read at a time. */
const PAGE_TASKS = 200;

/** Reads all ended tasks, newest first, a page at a time. */
export class EndedTasks {
  readonly #reader: TaskReader;
  #after?: { createdAt: number; id: string };
  #isOver = false;

  constructor(reader: TaskReader) {
    this.#reader = reader;
  }

  /** Returns the next page; empty once there are no more tasks. */
  async next(): Promise<TaskRecord[]> {
    if (this.#isOver) return [];
    const { tasks, more } = await this.#reader.listTasks({
      statuses: TERMINAL_STATUSES,
      limit: PAGE_TASKS,
      after: this.#after,
    });
    const last = tasks.at(-1)?.task;
    if (last !== undefined) this.#after = { createdAt: last.createdAt, id: last.id };
    this.#isOver = !more || last === undefined;
    return tasks;
  }
}
