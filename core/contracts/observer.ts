import type { TaskStatus } from "../protocol/status.ts";
import type { DueKind } from "./records.ts";
import type { Refusal } from "./short_term_store.ts";

/** An attempted commit. */
export interface ObservedCommit {
  /** `ok`, the store's refusal, or `ERROR` if the store failed. */
  outcome: "ok" | Refusal["code"] | "ERROR";
  /** Time the store took, in milliseconds. */
  durationMs: number;
  /** Number of events that producers published with it. */
  published: number;
  /** The terminal status, if the commit ended its task. */
  ended?: TaskStatus;
}

/** An attempted write to the archive. */
export interface ObservedArchiving {
  /** Whether the write succeeded. */
  ok: boolean;
  /** Time the archive took, in milliseconds. */
  durationMs: number;
}

/** An attempted delivery to a webhook. */
export interface ObservedAttempt {
  /** Whether the receiver accepted it. */
  ok: boolean;
  /** Time until the answer or the failure, in milliseconds. */
  durationMs: number;
}

/**
 * Observes an engine, for metrics. Methods run inline, once per commit or read and never per reader,
 * so they must be fast. Exceptions are reported.
 */
export interface EngineObserver {
  /** A commit was attempted. */
  onCommit?(commit: ObservedCommit): void;
  /**
   * New events were handed to waiting readers; called once per read.
   *
   * @param latencyMs Age of the oldest of these events, in milliseconds.
   */
  onDelivery?(latencyMs: number): void;
  /** A reader that lags behind the shared buffer read these events from the store by itself. */
  onLaggingRead?(events: number): void;
  /** A write to the archive was attempted. */
  onArchiving?(archiving: ObservedArchiving): void;
  /** A webhook delivery was attempted. */
  onWebhookAttempt?(attempt: ObservedAttempt): void;
  /** Due work was done, `lateMs` milliseconds after its time. */
  onDueWork?(kind: DueKind, lateMs: number): void;
}
