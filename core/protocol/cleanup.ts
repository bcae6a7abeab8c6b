import type { Level, SeriesMode } from "./event.ts";
import type { TerminalStatus } from "./task.ts";

/** What is deleted of ended tasks, and when. */
export interface CleanupRule {
  /** What it is called in messages. */
  name?: string;
  /** Only these tasks. @default all that have ended */
  match?: {
    /** Types, with wildcards as in filters: `llm.*`. */
    taskTypes?: string[];
    /** States. */
    status?: TerminalStatus[];
  };
  /** When. */
  trigger: {
    /** Milliseconds after the task has ended. */
    afterMs: number;
  };
  /** `events`: the log, or what `eventFilter` takes of it. `task`, `all`: the task with its log. */
  target: "all" | "events" | "task";
  /** With the target `events`: only these. @default all */
  eventFilter?: {
    /** Types, with wildcards as in filters. */
    types?: string[];
    /** Levels. */
    levels?: Level[];
    /** Milliseconds that an event is old at least. */
    olderThanMs?: number;
    /** The mode of its series. */
    seriesMode?: SeriesMode;
  };
}

/** What is deleted of one task, beside what rules for all tasks say. Never changes after creation. */
export interface TaskCleanup {
  /** The rules; each is carried out on its own. */
  rules: CleanupRule[];
}
