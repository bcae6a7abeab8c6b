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
  /** Events read from the store at a time. @default {512} */
  pageSize: number;
  /** Bytes of data read from the store at a time, about; one event at least. @default {1048576} */
  pageBytes: number;
  /** Bytes of data in one page of history, about; the rest is on the next. @default {16777216} */
  historyBytes: number;
  /**
   * Bytes of recent events kept per task with readers, and again of frames for all filters and
   * formats together; each of these has 64 KiB at least, and keeps what readers have not heard of
   * yet, which is about as much. @default {1048576}
   */
  tailBytes: number;
  /**
   * Readers of a task that are woken by an event before others on this instance are heard; the rest
   * of them follow in later turns of the event loop. @default {32}
   */
  wakesPerTurn: number;
  /** Milliseconds between signs of life on streams where nothing happens. @default {5000} */
  heartbeatMs: number;
  /** Milliseconds between looks at the store that cover lost wake-ups. @default {5000} */
  pollMs: number;
  /** Milliseconds until a stream asks again when the store cannot be reached. @default {500} */
  storeRetryMs: number;
  /**
   * Milliseconds between looks for due work that another instance may have left. 0: only what this
   * engine knows of is looked at, which is enough for a store that nobody else uses. @default {1000}
   */
  sweepMs: number;
  /** Due tasks settled at a time. @default {100} */
  sweepLimit: number;
  /**
   * Milliseconds after a commit until the archive gets what was written since; larger is fewer and
   * larger writes. @default {500}
   */
  archiveDelayMs: number;
  /** Events written to the archive at a time, at most. @default {1000} */
  archiveBatch: number;
  /**
   * Percent of the time in which archiving reads and writes while events are published on this
   * instance, 10 to 100; for the rest of it publishing is alone. 100: there are no rests, so the
   * archive keeps up with as much as it can, and publishing pays for that. @default {20}
   */
  archivePercent: number;
  /**
   * Milliseconds for which an ended task is kept in the short-term store beside the archive; then
   * it is read from the archive. @default {3600000}
   */
  hotRetentionMs: number;
  /**
   * Milliseconds between looks through all ended tasks for what clean-up rules say of them; covers
   * rules that are new, and marks that were lost. The first is at the start. @default {21600000}
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

/** What the parts of an engine share. */
export interface EngineContext {
  /** Where tasks are written. */
  readonly store: ShortTermStore;
  /** Where tasks are kept for good, if anywhere. */
  readonly archive?: LongTermStore;
  /** Asks the archive for those who can go on without it; there if that is. */
  readonly access?: ArchiveAccess;
  /** Where tasks are read: both of these as one. */
  readonly reader: TaskReader;
  readonly broadcast: BroadcastProvider;
  readonly clock: Clock;
  readonly limits: Readonly<Limits>;
  readonly options: Readonly<EngineOptions>;
  /** What is deleted of all tasks, beside what their own rules say. */
  readonly cleanupRules: readonly CleanupRule[];
  readonly tracer: EngineTracer;
  /** Those who measure what is done. */
  readonly observers: Observers;
  /** Tells the host of an error that no caller hears of. Never throws. */
  report(error: unknown, context: ErrorContext): void;
}
