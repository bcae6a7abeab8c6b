import type { Level, SeriesMode } from "./event.ts";
import type { TerminalStatus } from "./status.ts";

/** A rule that deletes ended tasks or their events. */
export interface CleanupRule {
  /** Its name in messages. */
  name?: string;
  /** The tasks it applies to. @default all ended tasks */
  match?: {
    /** Types, with wildcards as in filters: `llm.*`. */
    taskTypes?: string[];
    /** Terminal statuses. */
    status?: TerminalStatus[];
  };
  /** When the rule is due. */
  trigger: {
    /** Milliseconds after the end of the task. */
    afterMs: number;
  };
  /** `events`: the log, or what `eventFilter` takes of it. `task`, `all`: the task with its log. */
  target: "all" | "events" | "task";
  /** The events to delete, for the target `events`. @default all */
  eventFilter?: {
    /** Types, with wildcards as in filters. */
    types?: string[];
    /** Levels. */
    levels?: Level[];
    /** Minimum age of an event in milliseconds. */
    olderThanMs?: number;
    /** Mode of the event's series. */
    seriesMode?: SeriesMode;
  };
}

/** Clean-up rules of one task, in addition to those for all tasks. Never changes after creation. */
export interface TaskCleanup {
  /** The rules; each applies on its own. */
  rules: CleanupRule[];
}
