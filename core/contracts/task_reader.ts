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

/** The folds of a task's series, and where it stands, of one moment. */
export interface LogView {
  /** One for each `latest` or `accumulate` series whose newest event comes after the query's. */
  series: SeriesFold[];
  /** Events in the log that the folds count through. */
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
  /** The folds of all series with an event after index `after`; their deltas are not read. */
  readView(taskId: string, query: { after: number }): Promise<LogView | undefined>;
  /**
   * For each of `indexes`: how many events with a lower index match the filter. Also of events that
   * are only kept folded.
   */
  countMatches(
    taskId: string,
    filter: EventFilter,
    indexes: readonly number[],
  ): Promise<number[] | undefined>;
}
