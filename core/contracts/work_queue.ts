import type { RevisionExpectation } from "./records.ts";

/**
 * A kind of background work on a task, done by whichever instance claims it.
 *
 * - `archive`: write the task to the archive.
 * - `release`: remove its hot copy.
 * - `deliver`: send its webhooks.
 * - `undelivered`: no work; lists tasks with abandoned deliveries for operators.
 * - `clean`: delete the task or some of its events, by the clean-up rules. Marked in the archive if
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

/** Times from which a task is marked for work, by kind. Unix milliseconds. */
export type WorkMarks = { [Kind in Work]?: number };

/** Claimed tasks. */
export interface ClaimedWork {
  /** The tasks, earliest mark first. */
  taskIds: string[];
  /** The earliest mark among them; left out when nothing was claimed. */
  oldestAtMs?: number;
  /** Time at which the next task can be claimed; left out when there is none. */
  nextAtMs?: number;
}

/** A task that is marked for work. */
export interface MarkedTask {
  /** The task. */
  taskId: string;
  /** Time from which it is marked; Unix milliseconds. */
  atMs: number;
}

/** Tasks marked for background work, ordered by time. */
export interface WorkQueue {
  /**
   * Claims tasks whose mark for `work` is at or before `nowMs`, and moves their marks to `untilMs`. If
   * the claimant dies, another instance can claim them then.
   */
  claim(
    work: Work,
    options: { nowMs: number; untilMs: number; limit: number },
  ): Promise<ClaimedWork>;
  /**
   * Sets a task's mark for work to `atMs`, replacing any earlier mark, or removes it.
   *
   * @param at Changes the mark only if the task is in this incarnation and, where given, at this
   *   version and length.
   * @returns Whether the task was there.
   */
  mark(
    taskId: string,
    work: Work,
    atMs: number | undefined,
    at: RevisionExpectation,
  ): Promise<boolean>;
  /** Returns marked tasks, earliest first and then by id, that follow `after` in this order. */
  marked(work: Work, options: { limit: number; after?: MarkedTask }): Promise<MarkedTask[]>;
}
