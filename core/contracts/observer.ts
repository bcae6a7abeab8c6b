import type { TaskStatus } from "../protocol/task.ts";
import type { DueKind } from "./records.ts";
import type { Refusal } from "./short_term_store.ts";

/** A commit that was tried. */
export interface ObservedCommit {
  /** `ok`, why the store refused, or that it failed. */
  outcome: "ok" | Refusal["code"] | "ERROR";
  /** Milliseconds that the store took. */
  durationMs: number;
  /** Events that producers published with it. */
  published: number;
  /** The state in which it ended its task. */
  ended?: TaskStatus;
}

/** A part of the log that was written to the archive. */
export interface ObservedArchiving {
  /** It was written. */
  ok: boolean;
  /** Milliseconds that the archive took. */
  durationMs: number;
}

/** An attempt to tell a webhook of an event. */
export interface ObservedAttempt {
  /** The receiver took it. */
  ok: boolean;
  /** Milliseconds until it answered, or was given up. */
  durationMs: number;
}

/**
 * Told of what an engine does, to measure it. Called in the middle of the work, once per commit or
 * read and never per reader, so what it does must be quick. What it throws is reported.
 */
export interface EngineObserver {
  /** A commit was tried. */
  onCommit?(commit: ObservedCommit): void;
  /**
   * Events are handed to the readers who wait for them; told once per read, of its oldest event.
   *
   * @param latencyMs Milliseconds since the event was stored.
   */
  onDelivery?(latencyMs: number): void;
  /** A reader for whom the shared memory does not reach back read from the store, for itself. */
  onLaggingRead?(events: number): void;
  /** A part was written to the archive. */
  onArchiving?(archiving: ObservedArchiving): void;
  /** A webhook was tried. */
  onWebhookAttempt?(attempt: ObservedAttempt): void;
  /** Work that was due was done, so late. */
  onDueWork?(kind: DueKind, lateMs: number): void;
}
