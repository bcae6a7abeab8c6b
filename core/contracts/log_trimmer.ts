/** What goes from the log of an ended task. */
export interface Trim {
  /** Indexes of events, ascending; never that of the newest. */
  indexes: readonly number[];
  /** The `latest` and `accumulate` series of which then no event is left: their folds go, too. */
  series: readonly string[];
}

/** Removes events from logs of ended tasks. */
export interface LogTrimmer {
  /**
   * Removes events, in one step. Those that are not there are left out; whoever does it twice does
   * no harm.
   *
   * The log keeps its length and all other events their indexes: reads skip what is gone, with costs
   * in proportion to what is left. `countMatches` counts removed events, too, at the index of every
   * event that is left and at the end. What a producer repeats of them is refused with `TERMINAL`.
   *
   * @returns How many were removed; 0 also when the task is not there, or in another life.
   */
  trimLog(taskId: string, incarnation: string, trim: Trim): Promise<number>;
}
