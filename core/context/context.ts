import type { BroadcastProvider } from "../contracts/broadcast.ts";
import type { Clock } from "../contracts/clock.ts";
import type { ErrorContext } from "../contracts/hooks.ts";
import type { LongTermStore } from "../contracts/long_term_store.ts";
import type { ShortTermStore } from "../contracts/short_term_store.ts";
import type { EngineTracer } from "../contracts/tracer.ts";
import type { TaskReader } from "../contracts/task_reader.ts";
import type { CleanupRule } from "../protocol/cleanup.ts";
import type { Limits } from "../protocol/limits.ts";
import type { ArchiveAccess } from "./archive_access.ts";
import type { Observers } from "./observers.ts";

/** Sizes and times of the engine's streams and sweeps. */
export interface EngineOptions {
  /** Maximum number of events read from the store at a time. @default {512} */
  pageSize: number;
  /** Approximate bytes of data read from the store at a time; at least one event. @default {1048576} */
  pageBytes: number;
  /** Approximate bytes of data in one page of history. @default {16777216} */
  historyBytes: number;
  /**
   * Bytes of recent events kept for each task with readers, and the same again for frames of all filters and
   * formats together. Each filter and format has at least 64 KiB, and keeps frames for which waiting readers
   * have yet to be woken. @default {1048576}
   */
  tailBytes: number;
  /**
   * Number of a task's readers that an event wakes in one turn of the event loop; the others follow in later
   * turns. @default {32}
   */
  wakesPerTurn: number;
  /** Milliseconds between heartbeats on idle streams. @default {5000} */
  heartbeatMs: number;
  /** Milliseconds between polls of the store that make up for lost wake-ups. @default {5000} */
  pollMs: number;
  /** Milliseconds until a stream retries if the store cannot be reached. @default {500} */
  storeRetryMs: number;
  /**
   * Milliseconds between searches for due work that another instance may have left. 0 disables them, which
   * is right for a store that no other engine uses. @default {1000}
   */
  sweepMs: number;
  /** Maximum number of due tasks processed at a time. @default {100} */
  sweepLimit: number;
  /**
   * Milliseconds from a commit to its archiving. Larger values mean fewer and larger writes.
   * @default {500}
   */
  archiveDelayMs: number;
  /** Maximum number of events written to the archive at a time. @default {1000} */
  archiveBatch: number;
  /**
   * Percentage of time that archiving may use while events are published on this instance, 10 to 100. With
   * 100 the archive keeps up as well as it can, at the expense of publishing. @default {20}
   */
  archivePercent: number;
  /**
   * Milliseconds for which an ended task stays in the short-term store after it was archived. After that it
   * is read from the archive. @default {3600000}
   */
  hotRetentionMs: number;
  /**
   * Milliseconds between searches through all ended tasks for those to which clean-up rules apply. They
   * cover new rules and lost schedules. The first is at the start. @default {21600000}
   */
  cleanupSearchMs: number;
}

/** The defaults of {@linkcode EngineOptions}. */
export const DEFAULT_ENGINE_OPTIONS: Readonly<EngineOptions> = {
  pageSize: 512,
  pageBytes: 1024 * 1024,
  historyBytes: 16 * 1024 * 1024,
  tailBytes: 1024 * 1024,
  wakesPerTurn: 32,
  heartbeatMs: 5_000,
  pollMs: 5_000,
  storeRetryMs: 500,
  sweepMs: 1_000,
  sweepLimit: 100,
  archiveDelayMs: 500,
  archiveBatch: 1_000,
  archivePercent: 20,
  hotRetentionMs: 3_600_000,
  cleanupSearchMs: 21_600_000,
};

/** The adapters, options and services that the parts of an engine share. */
export interface EngineContext {
  /** The store that tasks are written to. */
  readonly store: ShortTermStore;
  /** The store that keeps tasks permanently, if there is one. */
  readonly archive?: LongTermStore;
  /** Queries the archive for callers that can continue without it; set if there is an archive. */
  readonly access?: ArchiveAccess;
  /** Reads tasks from both stores. */
  readonly reader: TaskReader;
  readonly broadcast: BroadcastProvider;
  readonly clock: Clock;
  readonly limits: Readonly<Limits>;
  readonly options: Readonly<EngineOptions>;
  /** Clean-up rules for all tasks, in addition to their own. */
  readonly cleanupRules: readonly CleanupRule[];
  readonly tracer: EngineTracer;
  /** Observers of the engine's work. */
  readonly observers: Observers;
  /** Reports an error that no caller receives. Never throws. */
  report(error: unknown, context: ErrorContext): void;
}
