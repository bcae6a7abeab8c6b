import type { RevisionExpectation } from "./records.ts";

/**
 * A kind of background work on a task, done by whichever instance claims it.
 *
 * - `archive`: write the task to the archive.
 * - `release`: remove its hot copy.
 * - `deliver`: send its webhooks.
 * - `undelivered`: no work; lists tasks with abandoned deliveries for operators.
 * - `clean`: delete the task or some of its events, by the clean-up rules. Scheduled in the archive if
 *   there is one.
 */
export type Work = "archive" | "release" | "deliver" | "undelivered" | "clean";

/** The kinds of work. */
export const WORK_KINDS: readonly Work[] = [
  "archive",
  "release",
  "deliver",
  "undelivered",
  "clean",
];

/** Times from which a task is scheduled for work, by kind. Unix milliseconds. */
export type WorkSchedule = { [Kind in Work]?: number };

/** Claimed tasks. */
export interface ClaimedWork {
  /** The tasks, earliest time first. */
  taskIds: string[];
  /** The earliest time among them; left out when nothing was claimed. */
  oldestAtMs?: number;
  /** Time at which the next task can be claimed; left out when there is none. */
  nextAtMs?: number;
}

/** A task that is scheduled for work. */
export interface ScheduledTask {
  /** The task. */
  taskId: string;
  /** Time from which it is scheduled; Unix milliseconds. */
  atMs: number;
}

/** Tasks scheduled for background work, ordered by time. */
export interface WorkQueue {
  /**
   * Claims tasks that are scheduled for `work` at or before `nowMs`, and reschedules them for `untilMs`. If
   * the claimant dies, another instance can claim them then.
   */
  claim(
    work: Work,
    options: { nowMs: number; untilMs: number; limit: number },
  ): Promise<ClaimedWork>;
  /**
   * Schedules a task for work at `atMs`, replacing any earlier time, or removes it from the schedule.
   *
   * @param expected Schedules only if the task is in this incarnation and, where given, at this
   *   version and length. @default any
   * @returns Whether the task was there.
   */
  schedule(
    taskId: string,
    work: Work,
    atMs: number | undefined,
    expected?: RevisionExpectation,
  ): Promise<boolean>;
  /** Returns scheduled tasks, earliest first and then by id, that follow `after` in this order. */
  scheduled(
    work: Work,
    options: { limit: number; after?: ScheduledTask },
  ): Promise<ScheduledTask[]>;
}
