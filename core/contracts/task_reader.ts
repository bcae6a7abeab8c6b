import type { EventFilter } from "../protocol/event.ts";
import type { TaskStatus } from "../protocol/status.ts";
import type { SeriesFold, StoredEvent, TaskHead, TaskRecord } from "./records.ts";

/** Selects a part of a log. */
export interface LogQuery {
  /** Returns only events with a higher index; -1 starts at the first event. */
  after: number;
  /**
   * The entropy of the event at `after`, as the caller read it. If the log has a different event
   * there, or ends before it, the store was restored to an earlier state and the page is `diverged`.
   */
  afterEntropy?: number;
  /** Returns only events up to this index. @default the newest */
  through?: number;
  /** Maximum number of events; 1 or more. */
  limit: number;
  /**
   * Size limit, 1 or more: the page ends with the event whose data reaches this many bytes, as the
   * store counts them. @default no bound
   */
  maxBytes?: number;
  /** Returns only matching events. @default all */
  filter?: EventFilter;
  /** Leaves out events of `latest` and `accumulate` series. @default {false} */
  standalone?: boolean;
  /** Reads backward from the newest event; the page is then newest first. @default {false} */
  backward?: boolean;
}

/** A part of a log and the state of its task, as of one moment. */
export interface LogPage {
  /** The events. Fewer than `limit` does not mean that none are left; see `scannedTo`. */
  events: StoredEvent[];
  /**
   * The index through which the query has been answered; the next page continues there. At the end of
   * the query it is its last index: `min(through, length - 1)`, or `after + 1` when reading backward.
   */
  scannedTo: number;
  /**
   * The entropy of the event at `scannedTo`, for the next query. Left out if there is no such event, if
   * it was trimmed, and when reading backward.
   */
  entropy?: number;
  /** The log does not continue from the query's `afterEntropy`. No events are returned. */
  diverged?: true;
  /** Number of events in the log. */
  length: number;
  /** The incarnation that the log belongs to. */
  incarnation: string;
  /** The task's status. */
  status: TaskStatus;
}

/** Selects folds of a task's series. */
export interface FoldQuery {
  /** Returns only series whose newest event has a higher index; -1 returns all. */
  after: number;
  /** Returns only series whose newest event is at or below this index. @default the newest */
  through?: number;
  /** Maximum number of folds; 1 or more. */
  limit: number;
  /**
   * Size limit, 1 or more: the page ends with the fold whose text and newest event reach this many
   * bytes, as the store counts them. @default no bound
   */
  maxBytes?: number;
  /** Reads texts; otherwise every fold is returned without `text`. @default {true} */
  texts?: boolean;
  /** Returns only the fold of this series. @default all */
  seriesId?: string;
}

/** Folds of a task's series and the state of the task, as of one moment. */
export interface FoldPage {
  /** Folds of `latest` and `accumulate` series, ordered by the index of their newest event. */
  folds: SeriesFold[];
  /**
   * The index through which the query has been answered; the next page continues there. Once no fold
   * is left, it is the query's last index: `min(through, length - 1)`, or `after` if that is higher. A
   * series that grows between two pages moves to a later page.
   */
  scannedTo: number;
  /** Number of events in the log when the folds were read. */
  length: number;
  /** The entropy of the newest of these events; left out for an empty log. */
  entropy?: number;
  /** The incarnation. */
  incarnation: string;
  /** The task's status. */
  status: TaskStatus;
}

/** Selects tasks, newest first. */
export interface ListQuery {
  /** Returns only tasks with one of these statuses. @default all */
  statuses?: readonly TaskStatus[];
  /** Returns only tasks of one of these types; wildcards as in event filters. @default all */
  types?: readonly string[];
  /** Returns only tasks with this tag. */
  tag?: string;
  /** Returns only tasks with this priority; a task without one has 0. */
  priority?: number;
  /** Maximum number of tasks; 1 or more. */
  limit: number;
  /** Returns only tasks that follow this one in the list. */
  after?: { createdAt: number; id: string };
}

/** A page of tasks, newest first. */
export interface ListPage {
  /** The tasks, by `createdAt` and then `id`, both descending. */
  tasks: TaskRecord[];
  /** Whether more tasks may follow. */
  more: boolean;
  /** The archive cannot be reached, so tasks that only it has are missing. */
  partial?: true;
}

/**
 * Reads tasks and their logs; implemented by short-term and long-term stores.
 *
 * - The cost of a read is proportional to what it returns, not to the length of the log.
 * - An absent task is `undefined`, never an error.
 */
export interface TaskReader {
  /**
   * Returns a task and the length of its log.
   *
   * @param at An index; the head then includes the entropy of the event there.
   */
  getTask(taskId: string, at?: number): Promise<TaskHead | undefined>;
  /** Returns a page of tasks, newest first, filtered by the store. */
  listTasks(query: ListQuery): Promise<ListPage>;
  /** Returns a part of the log. */
  readLog(taskId: string, query: LogQuery): Promise<LogPage | undefined>;
  /** Returns a page of series folds. Of their events it reads only the newest. */
  readFolds(taskId: string, query: FoldQuery): Promise<FoldPage | undefined>;
  /**
   * Counts, for each of `indexes`, the events with a lower index that match the filter. The count
   * includes events that are kept only in a fold.
   *
   * @param incarnation Counts only in this incarnation; the task is absent in any other.
   */
  countMatches(
    taskId: string,
    filter: EventFilter,
    indexes: readonly number[],
    incarnation?: string,
  ): Promise<number[] | undefined>;
}
