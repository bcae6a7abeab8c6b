import type { EventFilter } from "../protocol/event.ts";
import type { TaskStatus } from "../protocol/task.ts";
import type { SeriesFold, StoredEvent, TaskHead, TaskRecord } from "./records.ts";

/** Which part of a log. */
export interface LogQuery {
  /** Only events with a higher index; -1 is from the first. */
  after: number;
  /**
   * The entropy of the event at `after`, as the caller read it. If the log has another event there
   * or ends before it, the store was restored to an earlier state: the page is then `diverged`.
   */
  afterEntropy?: number;
  /** Only events with this index or a lower one. @default the newest */
  through?: number;
  /** Most events returned; 1 or more. */
  limit: number;
  /**
   * Ends with the event that brings their data to this many bytes, as the store counts them; 1 or
   * more. @default no bound
   */
  maxBytes?: number;
  /** Only events that match. @default all */
  filter?: EventFilter;
  /** Leaves out the events of `latest` and `accumulate` series. @default {false} */
  plain?: boolean;
  /** Reads from the newest backward; events then come newest first. @default {false} */
  backward?: boolean;
}

/** Part of a log, and where the task stands, of one moment. */
export interface LogPage {
  /** The events; fewer than `limit` does not mean that there are no more, see `scannedTo`. */
  events: StoredEvent[];
  /**
   * Everything between the start of the query and this index (inclusive) has been looked at: go
   * on there. At the end of the query it is its last index: `min(through, length - 1)`, or
   * `after + 1` when reading backward.
   */
  scannedTo: number;
  /**
   * The entropy of the event at `scannedTo`, for going on from there. Left out when there is no such
   * event or it was trimmed, and when reading backward.
   */
  entropy?: number;
  /** The log is not the one that the query goes on from; see `afterEntropy`. No events are read. */
  diverged?: true;
  /** Events in the log. */
  length: number;
  /** The life of the task id that the log belongs to. */
  incarnation: string;
  /** The task's state. */
  status: TaskStatus;
}

/** Which folds of a task's series. */
export interface FoldQuery {
  /** Only series whose newest event has a higher index; -1 is all. */
  after: number;
  /** Only series whose newest event has this index or a lower one. @default the newest */
  through?: number;
  /** Most folds returned; 1 or more. */
  limit: number;
  /**
   * Ends with the fold that brings texts and newest events to this many bytes, as the store counts
   * them; 1 or more. @default no bound
   */
  maxBytes?: number;
  /** Whether texts are read; without them `text` is left out of every fold. @default {true} */
  texts?: boolean;
  /** Only the fold of this series. @default all */
  seriesId?: string;
}

/** Folds of a task's series, and where the task stands, of one moment. */
export interface FoldPage {
  /** Folds of `latest` and `accumulate` series, in the order of their newest events. */
  folds: SeriesFold[];
  /**
   * All folds between the start of the query and this index (inclusive) are on the page: go on
   * there. At the end of the query, which is also where no fold is left, it is the query's last
   * index: `min(through, length - 1)`, or `after` if that is higher. A series that goes on between
   * two pages moves behind them.
   */
  scannedTo: number;
  /** Events in the log of the moment in which the folds were as they are here. */
  length: number;
  /** The entropy of the newest of these events; left out of an empty log. */
  entropy?: number;
  /** The life of the task id. */
  incarnation: string;
  /** The task's state. */
  status: TaskStatus;
}

/** Which tasks, newest first. */
export interface ListQuery {
  /** One of these states. @default all */
  statuses?: readonly TaskStatus[];
  /** One of these types; wildcards as in event filters. @default all */
  types?: readonly string[];
  /** With this tag. */
  tag?: string;
  /** Most tasks returned; 1 or more. */
  limit: number;
  /** Only tasks that come after this one in the list. */
  after?: { createdAt: number; id: string };
}

/** Tasks, newest first. */
export interface ListPage {
  /** The tasks, by `createdAt` and then `id`, both descending. */
  tasks: TaskRecord[];
  /** Whether more may follow. */
  more: boolean;
  /** Tasks that only the archive has are missing, as it cannot be reached. */
  partial?: true;
}

/**
 * Reading tasks and their logs: what short-term and long-term stores have in common.
 *
 * - Reading costs in proportion to what is returned, not to the length of the log.
 * - An absent task is `undefined`, never an error.
 */
export interface TaskReader {
  /**
   * A task and the length of its log.
   *
   * @param at An index whose event's entropy is wanted as well.
   */
  getTask(taskId: string, at?: number): Promise<TaskHead | undefined>;
  /** Tasks, newest first; filtered and paged by the store. */
  listTasks(query: ListQuery): Promise<ListPage>;
  /** Part of the log. */
  readLog(taskId: string, query: LogQuery): Promise<LogPage | undefined>;
  /** The folds of series, a page at a time; their events are not read but for the newest. */
  readFolds(taskId: string, query: FoldQuery): Promise<FoldPage | undefined>;
  /**
   * For each of `indexes`: how many events with a lower index match the filter. Also of events that
   * are only kept folded.
   *
   * @param incarnation Only of this one: in another one, what is asked for is absent.
   */
  countMatches(
    taskId: string,
    filter: EventFilter,
    indexes: readonly number[],
    incarnation?: string,
  ): Promise<number[] | undefined>;
}
