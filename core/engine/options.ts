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

/** The adapters and options of a {@linkcode TaskEngine}. */
export interface TaskEngineOptions {
  /** Wakes readers. */
  broadcast: BroadcastProvider;
  /** Holds tasks and logs. */
  shortTermStore: ShortTermStore;
  /**
   * Keeps tasks permanently. Everything is written to it after the short-term store, and ended tasks are
   * read from it once their hot copies have been released. @default none
   */
  longTermStore?: LongTermStore;
  /** Called after the changes that they report have been stored. */
  hooks?: TaskcastHooks;
  /** Sends webhooks. @default tasks with webhooks are refused */
  webhooks?: WebhookOptions;
  /** Rules that delete ended tasks or their events. @default only the tasks' own rules */
  cleanup?: { rules?: readonly CleanupRule[] };
  /** Limits for producers; see {@linkcode DEFAULT_LIMITS}. */
  limits?: Partial<Limits>;
  /** Sizes and times; see {@linkcode DEFAULT_ENGINE_OPTIONS}. */
  options?: Partial<EngineOptions>;
  /** Traces commits, webhooks and archiving. @default nothing is traced */
  tracer?: EngineTracer;
  /** The source of time and timers. @default {systemClock} */
  clock?: Clock;
}

/** Restricts a call to one incarnation of a task. */
export interface IncarnationOptions {
  /**
   * The incarnation, as {@linkcode TaskEngine.readTask} returns it. A call is refused with
   * `TASK_NOT_FOUND` if that task was deleted, even if a new task has its id.
   * @default the one that exists when the call begins
   */
  incarnation?: string;
}

/** Options of calls that write to a task. */
export interface WriteOptions extends IncarnationOptions {
  /**
   * The token of a lease under which the call writes. If the task has another lease or none, the call is
   * refused with `LEASE_LOST`, or with `TASK_TERMINAL` if the task has ended. A change of status renews
   * the lease; publishing does not. @default not checked
   */
  lease?: string;
}

/** Options of a subscription to one task. */
export interface SubscribeOptions extends IncarnationOptions {
  /** Delivers only matching events. @default all */
  filter?: EventFilter;
  /** The position to continue from. @default the start, with each series collapsed to its newest event */
  since?: Since;
  /** Maximum number of events to replay before the live part; the newest are kept. @default all */
  limit?: number;
  /** The format of `accumulate` series. @default {"delta"} */
  seriesFormat?: SeriesFormat;
  /** Ends the subscription. */
  signal?: AbortSignal;
}

/** Options of a subscription to all tasks. */
export interface SubscribeAllOptions {
  /** Delivers only matching events. @default all */
  filter?: EventFilter;
  /**
   * Returns whether to deliver a task. Called when the task's first wake-up arrives, and again after a
   * long quiet time. @default all
   */
  visible?: (task: Task) => boolean;
  /** Ends the subscription. */
  signal?: AbortSignal;
}

/** Selects a part of a task's history. */
export interface HistoryOptions extends IncarnationOptions {
  /** Returns only matching events. @default all */
  filter?: EventFilter;
  /** The position to start after. @default before the first event */
  since?: Since;
  /** Maximum number of events: 1 to 10 000. @default {1000} */
  limit?: number;
  /** `accumulated` returns only the newest event of each series, with the whole text. @default {"delta"} */
  seriesFormat?: SeriesFormat;
}

/** Counters since the engine started, and current gauges. */
export interface EngineStats {
  /** Tasks created. */
  tasksCreated: number;
  /** Tasks that reached a terminal status. */
  tasksEnded: number;
  /** Tasks that this instance ended because their lease expired. */
  leasesLost: number;
  /** Events appended, including the server's own. */
  eventsStored: number;
  /** Successful commits. */
  commits: number;
  /** Events written to the archive by this instance. */
  eventsArchived: number;
  /** Hot copies of ended tasks that this instance released. */
  tasksReleased: number;
  /** Archived tasks that this instance moved to another id, because a newer task has theirs. */
  tasksDisplaced: number;
  /**
   * Hot copies that this instance dropped because the short-term store was restored to an earlier state
   * and the archive has the end of the task.
   */
  tasksOvertaken: number;
  /**
   * Live tasks that this instance restored from the archive, because the short-term store had lost them or
   * some of their events.
   */
  tasksRefilled: number;
  /** Ended tasks that this instance deleted because of a rule. */
  tasksCleaned: number;
  /** Events of ended tasks that this instance deleted because of a rule. */
  eventsTrimmed: number;
  /** Milliseconds by which the oldest unarchived change known to this instance is late. */
  archiveLagMs: number;
  /** Events that this instance delivered to webhooks. */
  webhooksDelivered: number;
  /** Failed attempts to deliver to a webhook. */
  webhookAttemptsFailed: number;
  /** Deliveries that failed after all retries. */
  webhooksGivenUp: number;
  /** Delivery attempts in progress. */
  webhooksUnderWay: number;
  /** Milliseconds by which the oldest known due work is late. */
  dueLagMs: number;
  /** Open streams. */
  streams: number;
  /** Tasks with open streams. */
  tails: number;
  /** Approximate bytes of recent events kept for readers. */
  tailBytes: number;
  /** Approximate bytes of encoded frames kept for readers. */
  viewBytes: number;
}
