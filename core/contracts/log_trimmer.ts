/** The part of an ended task's log to remove. */
export interface Trim {
  /** Indexes of events in ascending order; never the newest event. */
  indexes: readonly number[];
  /** The `latest` and `accumulate` series left without events; their folds are removed, too. */
  series: readonly string[];
}

/** Removes events from the logs of ended tasks. */
export interface LogTrimmer {
  /**
   * Removes events in one step. Missing events are ignored, so repeating the call is harmless.
   *
   * The log keeps its length, and the remaining events keep their indexes. Reads skip removed events
   * at a cost proportional to what remains. `countMatches` still counts removed events, at the index
   * of every remaining event and at the end of the log. A producer that repeats a removed event is
   * refused with `TERMINAL`.
   *
   * @returns The number of removed events; 0 if the task is absent or in another incarnation.
   */
  trimLog(taskId: string, incarnation: string, trim: Trim): Promise<number>;
}
