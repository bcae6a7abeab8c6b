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
import type { ArchiveAccess } from "../context/archive_access.ts";
import { orArchiveAway } from "../context/archive_away.ts";

/** A page of tasks takes an archive longer than a single one does. */
const LIST_PATIENCE = { patienceMs: 2_000 };

/**
 * The short-term store and the archive as one.
 *
 * A task that is in the short-term store is read there, since the archive may lag behind. It leaves
 * the short-term store only when the archive has all of it, so whoever does not find it there finds
 * it in the archive. So does who finds the stand-in for one that is being brought back.
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
    // The archive last: a task that is released in between is then found in both, not in neither.
    const hot = await this.#hot.listTasks(query);
    const asked = await this.#access.ask((cold) => cold.listTasks(query), LIST_PATIENCE);
    const cold: ListPage = asked?.answer ?? { tasks: [], more: false, partial: true };
    const whole = hot.tasks.filter(({ incarnation }) => !isRefilling(incarnation));
    const inHot = new Set(whole.map(({ task }) => task.id));
    const archived = cold.tasks.filter(({ task: { id } }) => !inHot.has(id) && !isDisplaced(id));
    const current = await Promise.all(archived.map((record) => this.#isCurrent(record)));
    // A store that has more says nothing about what comes after its last task.
    const seen = (page: ListPage) => page.more ? page.tasks.at(-1) : undefined;
    const ends = [seen(hot), seen(cold)].filter((record) => record !== undefined);
    const present = whole.filter(({ incarnation }) => !isPendingDeletion(incarnation));
    const merged = [...present, ...archived.filter((_, i) => current[i])]
      .filter((record) => ends.every((end) => compare(record, end) <= 0))
      .sort(compare);
    const tasks = merged.slice(0, query.limit);
    const more = hot.more || cold.more || merged.length > tasks.length;
    // Nothing on this page, but there are more: go on where the store that stopped first stopped.
    if (tasks.length === 0 && more) {
      const end = ends.sort(compare)[0]!;
      const { createdAt, id } = end.task;
      return await this.listTasks({ ...query, after: { createdAt, id } });
    }
    return cold.partial ? { tasks, more, partial: true } : { tasks, more };
  }

  // What has ended does not change any more. What has not is told by the short-term store, if the
  // task is there: it would have been on its page if it matched.
  async #isCurrent({ task }: TaskRecord): Promise<boolean> {
    if (isTerminal(task.status)) return true;
    const head = await this.#hot.getTask(task.id);
    return head === undefined || isRefilling(head.record.incarnation);
  }
}

/** Newest first. */
function compare({ task: a }: TaskRecord, { task: b }: TaskRecord): number {
  return b.createdAt - a.createdAt || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);
}
