import type { LongTermStore } from "../contracts/long_term_store.ts";
import type { TaskHead, TaskRecord } from "../contracts/records.ts";
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
import { isTerminal } from "../protocol/status.ts";
import { isDisplaced } from "../domain/retention/displaced.ts";
import { isPendingDeletion } from "../domain/retention/pending_deletion.ts";
import { isRefilling } from "../domain/retention/refilling.ts";
import { compareNewestFirst } from "../domain/task_list.ts";
import type { ArchiveAccess } from "../context/archive_access.ts";
import { orArchiveAway } from "../context/archive_away.ts";

/** A page of tasks takes the archive longer than a single task. */
const LIST_PATIENCE = { patienceMs: 2_000 };

/**
 * Reads the short-term store and the archive as one.
 *
 * A task in the short-term store is read there, because the archive may lag behind. It leaves that store
 * only once the archive has all of it, so any other task is read from the archive. While a task is being
 * restored, its stand-in in the short-term store is ignored and the archive serves reads.
 */
export class TieredReader implements TaskReader {
  readonly #hot: TaskReader;
  readonly #cold: LongTermStore;
  readonly #access: ArchiveAccess;

  constructor(hot: TaskReader, cold: LongTermStore, access: ArchiveAccess) {
    this.#hot = hot;
    this.#cold = cold;
    this.#access = access;
  }

  async getTask(taskId: string, at?: number): Promise<TaskHead | undefined> {
    const head = await this.#hot.getTask(taskId, at);
    if (head === undefined || isRefilling(head.record.incarnation)) {
      return await orArchiveAway(this.#cold.getTask(taskId, at));
    }
    return isPendingDeletion(head.record.incarnation) ? undefined : head;
  }

  async readLog(taskId: string, query: LogQuery): Promise<LogPage | undefined> {
    const page = await this.#hot.readLog(taskId, query);
    if (page === undefined || isRefilling(page.incarnation)) {
      return await orArchiveAway(this.#cold.readLog(taskId, query));
    }
    return isPendingDeletion(page.incarnation) ? undefined : page;
  }

  async readFolds(taskId: string, query: FoldQuery): Promise<FoldPage | undefined> {
    const page = await this.#hot.readFolds(taskId, query);
    if (page === undefined || isRefilling(page.incarnation)) {
      return await orArchiveAway(this.#cold.readFolds(taskId, query));
    }
    return isPendingDeletion(page.incarnation) ? undefined : page;
  }

  async countMatches(
    taskId: string,
    filter: EventFilter,
    indexes: readonly number[],
    incarnation?: string,
  ): Promise<number[] | undefined> {
    return await this.#hot.countMatches(taskId, filter, indexes, incarnation) ??
      await orArchiveAway(this.#cold.countMatches(taskId, filter, indexes, incarnation));
  }

  async listTasks(query: ListQuery): Promise<ListPage> {
    // The archive last, so that a task released in between is found twice instead of not at all.
    const hot = await this.#hot.listTasks(query);
    const asked = await this.#access.ask((cold) => cold.listTasks(query), LIST_PATIENCE);
    const cold: ListPage = asked?.answer ?? { tasks: [], more: false, partial: true };
    const complete = hot.tasks.filter(({ incarnation }) => !isRefilling(incarnation));
    const inHot = new Set(complete.map(({ task }) => task.id));
    const archived = cold.tasks.filter(({ task: { id } }) => !inHot.has(id) && !isDisplaced(id));
    const current = await Promise.all(archived.map((record) => this.#isCurrent(record)));
    // A page with more behind it covers the list only as far as its last task.
    const endOf = (page: ListPage) => page.more ? page.tasks.at(-1) : undefined;
    const ends = [endOf(hot), endOf(cold)].filter((record) => record !== undefined);
    const present = complete.filter(({ incarnation }) => !isPendingDeletion(incarnation));
    const merged = [...present, ...archived.filter((_, i) => current[i])]
      .filter((record) => ends.every((end) => compare(record, end) <= 0))
      .sort(compare);
    const tasks = merged.slice(0, query.limit);
    const more = hot.more || cold.more || merged.length > tasks.length;
    // If nothing is left on this page, continue where the first of the two pages ended.
    if (tasks.length === 0 && more) {
      const end = ends.sort(compare)[0]!;
      const { createdAt, id } = end.task;
      return await this.listTasks({ ...query, after: { createdAt, id } });
    }
    return cold.partial ? { tasks, more, partial: true } : { tasks, more };
  }

  // An ended task no longer changes. A live one in the short-term store would have been on that store's
  // page if it matched.
  async #isCurrent({ task }: TaskRecord): Promise<boolean> {
    if (isTerminal(task.status)) return true;
    const head = await this.#hot.getTask(task.id);
    return head === undefined || isRefilling(head.record.incarnation);
  }
}

/** Orders tasks newest first. */
function compare({ task: a }: TaskRecord, { task: b }: TaskRecord): number {
  return compareNewestFirst(a, b);
}
