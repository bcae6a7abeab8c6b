import type { TaskMark } from "./records.ts";

/**
 * Work on a task that is done behind its commits, by whichever instance claims it.
 *
 * - `archive`: write it to the archive.
 * - `release`: give its hot copy up.
 * - `deliver`: tell its webhooks.
 * - `undelivered`: nothing; it has deliveries that were given up, and is listed for people.
 * - `clean`: delete it, or events of it, as rules say. Marked where tasks are kept for good: in the
 *   archive if there is one.
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

/** From when on a task is marked for work. Unix milliseconds. */
export type WorkMarks = { [Kind in Work]?: number };

/** Tasks that were marked for work, and are now claimed. */
export interface ClaimedWork {
  /** The tasks; those marked for the earliest time first. */
  taskIds: string[];
  /** The earliest time at which a task was marked; left out when none was claimed. */
  oldestAtMs?: number;
  /** When the next work after these can be claimed; left out when there is none. */
  nextAtMs?: number;
}

/** A task that is marked for work. */
export interface MarkedTask {
  /** The task. */
  taskId: string;
  /** From when on. */
  atMs: number;
}

/** Tasks that want work, by the time from which on they want it. */
export interface WorkQueue {
  /**
   * Takes tasks whose mark for `work` is at `nowMs` or before, and moves the mark to `untilMs`: if
   * whoever took them dies, another gets them then.
   */
  claim(
    work: Work,
    options: { nowMs: number; untilMs: number; limit: number },
  ): Promise<ClaimedWork>;
  /**
   * Marks a task for work from `atMs` on, whatever mark it had, or takes the mark away.
   *
   * @param at Only if the task is there.
   * @returns Whether it was done.
   */
  mark(taskId: string, work: Work, atMs: number | undefined, at: TaskMark): Promise<boolean>;
  /** Tasks that are marked, earliest first and then by id, after a place in this order. */
  marked(work: Work, options: { limit: number; after?: MarkedTask }): Promise<MarkedTask[]>;
}
