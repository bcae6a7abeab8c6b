import type { Trim } from "../contracts/log_trimmer.ts";
import type { StoredEvent, TaskHead, TaskRecord, TaskRevision } from "../contracts/records.ts";
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
import type { TaskStatus } from "../protocol/status.ts";
import type { KnownProducer, SeriesKind } from "../domain/commits/append.ts";
import type { CommitState } from "../domain/commits/commit.ts";
import { copyOf } from "../domain/copy.ts";
import { isDiverged } from "../domain/divergence.ts";
import { matchesListQuery } from "../domain/task_list.ts";
import { TaskList } from "./task_list.ts";
import { TaskLog } from "./task_log.ts";

/** A task and its log. Its members are accessors, so that checking a commit allocates nothing. */
export class TaskEntry implements CommitState {
  record: TaskRecord;
  /** Bytes counted for it by a store that counts. */
  bytes = 0;
  leaseDueMs: number | undefined;
  #log?: TaskLog;

  constructor(record: TaskRecord) {
    this.record = record;
  }

  /** Created on first use, since an empty log takes 400 of a new task's 800 bytes. */
  get log(): TaskLog {
    return this.#log ??= new TaskLog();
  }

  get incarnation(): string {
    return this.record.incarnation;
  }

  get version(): number {
    return this.record.version;
  }

  get status(): TaskStatus {
    return this.record.task.status;
  }

  get lease(): string | undefined {
    return this.record.lease;
  }

  get length(): number {
    return this.log.length;
  }

  get dataBytes(): number {
    return this.log.dataBytes;
  }

  producer(id: string): KnownProducer | undefined {
    return this.log.producers.get(id);
  }

  seriesKind(id: string): SeriesKind | undefined {
    return this.log.series.kindOf(id);
  }

  isTrimmed(index: number): boolean {
    return this.log.at(index) === undefined;
  }
}

/** Tasks and their logs, with all reads. */
export class TaskTable implements TaskReader {
  readonly #entries = new Map<string, TaskEntry>();
  readonly #list = new TaskList();

  /**
   * Returns the task itself, not a copy.
   *
   * @ignore
   */
  protected get(taskId: string): TaskEntry | undefined {
    return this.#entries.get(taskId);
  }

  /**
   * Adds a task with an empty log. The record must not be changed afterward.
   *
   * @ignore
   */
  protected add(record: TaskRecord): TaskEntry {
    const entry = new TaskEntry(record);
    this.#entries.set(record.task.id, entry);
    this.#list.add(record);
    return entry;
  }

  /**
   * Removes a task and its log.
   *
   * @ignore
   */
  protected remove(taskId: string): void {
    const entry = this.#entries.get(taskId);
    if (entry === undefined) return;
    this.#entries.delete(taskId);
    this.#list.delete(entry.record);
  }

  /**
   * Moves a task and its log to the id of another record, which must not be changed afterward.
   *
   * @ignore
   */
  protected move(taskId: string, record: TaskRecord): void {
    const entry = this.#entries.get(taskId)!;
    this.#entries.delete(taskId);
    this.#list.delete(entry.record);
    entry.record = record;
    this.#entries.set(record.task.id, entry);
    this.#list.add(record);
  }

  /**
   * Trims the log of a task if it is in this incarnation, and returns the removed events.
   *
   * @ignore
   */
  protected trim(taskId: string, incarnation: string, trim: Trim): StoredEvent[] {
    const entry = this.#entries.get(taskId);
    return entry?.record.incarnation === incarnation ? entry.log.trim(trim) : [];
  }

  async getTask(taskId: string, at?: number): Promise<TaskHead | undefined> {
    const entry = this.#entries.get(taskId);
    if (entry === undefined) return await Promise.resolve(undefined);
    const { record, log } = entry;
    const { length, trimmedThrough } = log;
    const head: TaskHead = { record: copyOf(record), length };
    if (trimmedThrough !== undefined) head.trimmedThrough = trimmedThrough;
    const entropy = at === undefined ? undefined : log.at(at)?.entropy;
    if (entropy !== undefined) head.entropy = entropy;
    return head;
  }

  async listTasks(query: ListQuery): Promise<ListPage> {
    const tasks: TaskRecord[] = [];
    for (const id of this.#list.newestFirst(query.after)) {
      const { record } = this.#entries.get(id)!;
      if (!matchesListQuery(record.task, query)) continue;
      if (tasks.length === query.limit) return { tasks, more: true };
      tasks.push(copyOf(record));
    }
    return await Promise.resolve({ tasks, more: false });
  }

  async readLog(taskId: string, query: LogQuery): Promise<LogPage | undefined> {
    const entry = this.#entries.get(taskId);
    if (entry === undefined) return undefined;
    const { log } = entry;
    const { after, backward } = query;
    const state = stateOf(entry);
    if (isDiverged(query, log.length, log.at(after)?.entropy)) {
      return await Promise.resolve({ events: [], scannedTo: after, ...state, diverged: true });
    }
    const page: LogPage = { ...log.read(query), ...state };
    const entropy = backward ? undefined : log.at(page.scannedTo)?.entropy;
    if (entropy !== undefined) page.entropy = entropy;
    return page;
  }

  async readFolds(taskId: string, query: FoldQuery): Promise<FoldPage | undefined> {
    const entry = this.#entries.get(taskId);
    if (entry === undefined) return undefined;
    const { log } = entry;
    const last = Math.max(query.after, Math.min(query.through ?? Infinity, log.length - 1));
    const page: FoldPage = { ...log.series.read(query, last), ...stateOf(entry) };
    const entropy = log.at(log.length - 1)?.entropy;
    if (entropy !== undefined) page.entropy = entropy;
    return await Promise.resolve(page);
  }

  async countMatches(
    taskId: string,
    filter: EventFilter,
    indexes: readonly number[],
    incarnation?: string,
  ): Promise<number[] | undefined> {
    const entry = this.#entries.get(taskId);
    const isMeant = incarnation === undefined || entry?.record.incarnation === incarnation;
    return await Promise.resolve(isMeant ? entry?.log.countMatches(filter, indexes) : undefined);
  }
}

/** Returns the revision of a task. */
export function revisionOfEntry(
  { record: { incarnation, version }, log: { length } }: TaskEntry,
): TaskRevision {
  return { incarnation, version, length };
}

function stateOf({ record, log }: TaskEntry): Pick<LogPage, "length" | "incarnation" | "status"> {
  return {
    length: log.length,
    incarnation: record.incarnation,
    status: record.task.status,
  };
}
