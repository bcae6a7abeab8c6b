import type { BroadcastProvider } from "../contracts/broadcast.ts";
import type { Clock } from "../contracts/clock.ts";
import type { TaskcastHooks } from "../contracts/hooks.ts";
import type { LongTermStore } from "../contracts/long_term_store.ts";
import type { EngineTracer } from "../contracts/tracer.ts";
import type { WebhookOptions } from "../contracts/webhooks.ts";
import type { ShortTermStore } from "../contracts/short_term_store.ts";
import type { EventFilter, SeriesFormat, Since } from "../protocol/event.ts";
import type { CleanupRule } from "../protocol/cleanup.ts";
import type { Limits } from "../protocol/limits.ts";
import type { Task } from "../protocol/task.ts";
import type { EngineOptions } from "../context/context.ts";

/** What a {@linkcode TaskEngine} is made of. */
export interface TaskEngineOptions {
  /** Wakes readers. */
  broadcast: BroadcastProvider;
  /** Holds tasks and logs. */
  shortTermStore: ShortTermStore;
  /**
   * Keeps tasks for good: everything is written to it behind the short-term store, and ended tasks
   * are read from it once their hot copies are given up. @default none
   */
  longTermStore?: LongTermStore;
  /** Called after what they are about is stored. */
  hooks?: TaskcastHooks;
  /** Sends webhooks. @default tasks with webhooks are refused */
  webhooks?: WebhookOptions;
  /** What is deleted of tasks that have ended, and when. @default what tasks themselves say */
  cleanup?: { rules?: readonly CleanupRule[] };
  /** Bounds of what producers may send; see {@linkcode DEFAULT_LIMITS}. */
  limits?: Partial<Limits>;
  /** Sizes and times; see {@linkcode DEFAULT_ENGINE_OPTIONS}. */
  options?: Partial<EngineOptions>;
  /** Traces commits, webhooks and archiving. @default nothing is traced */
  tracer?: EngineTracer;
  /** What tells the time and waits. @default {systemClock} */
  clock?: Clock;
}

/** Which incarnation of a task's id a call is about. */
export interface IncarnationOptions {
  /**
   * Only this one, as {@linkcode TaskEngine.readTask} gives it: a call is refused with
   * `TASK_NOT_FOUND` when the task was deleted, also when another one has its id by now.
   * @default the one that there is when the call begins
   */
  incarnation?: string;
}

/** What a reader of one task asks for. */
export interface SubscribeOptions extends IncarnationOptions {
  /** Only events that match. @default all */
  filter?: EventFilter;
  /** Where to go on. @default the beginning, with each series collapsed to its newest event */
  since?: Since;
  /** Replays at most the last of the events, then goes on live. @default all */
  limit?: number;
  /** How accumulate series are told. @default {"delta"} */
  seriesFormat?: SeriesFormat;
  /** Ends the subscription. */
  signal?: AbortSignal;
}

/** What a reader of all tasks asks for. */
export interface SubscribeAllOptions {
  /** Only events that match. @default all */
  filter?: EventFilter;
  /**
   * Only tasks for which this holds; asked when a task is first heard of, and again of one that was
   * quiet for long. @default all
   */
  visible?: (task: Task) => boolean;
  /** Ends the subscription. */
  signal?: AbortSignal;
}

/** Which part of a task's history. */
export interface HistoryOptions extends IncarnationOptions {
  /** Only events that match. @default all */
  filter?: EventFilter;
  /** Where it begins. @default the first event */
  since?: Since;
  /** Most events: 1 to 10 000. @default {1000} */
  limit?: number;
  /** `accumulated`: of each series only the newest event, with the whole text. @default {"delta"} */
  seriesFormat?: SeriesFormat;
}

/** Counters since the engine began, and gauges of now. */
export interface EngineStats {
  /** Tasks created. */
  tasksCreated: number;
  /** Tasks that reached a terminal state. */
  tasksEnded: number;
  /** Events appended, those of the server included. */
  eventsStored: number;
  /** Commits that were carried out. */
  commits: number;
  /** Events written to the archive by this instance. */
  eventsArchived: number;
  /** Hot copies of ended tasks that this instance gave up. */
  tasksReleased: number;
  /** Tasks of the archive that this instance kept under another id, as another task has theirs. */
  tasksDisplaced: number;
  /**
   * Hot copies that were given up, since the short-term store was restored to an earlier state and
   * the archive has how the task ended.
   */
  tasksOvertaken: number;
  /**
   * Live tasks that the short-term store had lost, or events of which it had lost, and that this
   * instance brought back from the archive.
   */
  tasksRefilled: number;
  /** Ended tasks that this instance deleted by rules. */
  tasksCleaned: number;
  /** Events of ended tasks that this instance deleted by rules. */
  eventsTrimmed: number;
  /** Milliseconds by which the oldest unarchived work is late, as far as this instance saw. */
  archiveLagMs: number;
  /** Events that webhooks of this instance took. */
  webhooksDelivered: number;
  /** Attempts of webhooks that failed. */
  webhookAttemptsFailed: number;
  /** Deliveries that were given up. */
  webhooksGivenUp: number;
  /** Attempts of webhooks that are under way. */
  webhooksUnderWay: number;
  /** Milliseconds by which the oldest due work that was found and not done yet is late. */
  dueLagMs: number;
  /** Open streams. */
  streams: number;
  /** Tasks with open streams. */
  tails: number;
  /** Bytes of recent events that are kept for readers, about. */
  tailBytes: number;
  /** Bytes of encoded frames that are kept for readers, about. */
  viewBytes: number;
}
