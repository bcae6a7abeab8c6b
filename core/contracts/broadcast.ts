import type { Checkable } from "./health.ts";

/** A wake-up. It says that the log of a task grew, and carries no events. */
export interface Signal {
  /** The task. */
  taskId: string;
  /** Index of the first event that the commit appended. */
  from: number;
  /** Number of events in the log after the commit. */
  length: number;
  /** The commit ended or deleted the task; anyone waiting for its end should read the store. */
  ended?: boolean;
}

/** Stops a subscription. May be called twice. */
export type Unsubscribe = () => void | Promise<void>;

/** The scope of a subscription: one task, or all tasks. */
export type SignalScope = { taskId: string } | { all: true };

/**
 * Wakes readers on this and other instances.
 *
 * - Delivery is best effort: a signal may be lost, delayed, duplicated, or merged with others of the
 *   same task. It is never the source of truth, so a lost signal costs latency and never an event.
 * - `publish` must not reject because of a reader, and must not wait for one.
 */
export interface BroadcastProvider extends Checkable {
  /** Sends a signal to all subscribers. */
  publish(signal: Signal): void | Promise<void>;
  /** Subscribes. Resolves once the subscription is live and receives later signals. */
  subscribe(scope: SignalScope, onSignal: (signal: Signal) => void): Promise<Unsubscribe>;
  /** Releases connections that the provider itself opened. Safe to call twice. */
  close(): Promise<void>;
}

/** Calls a listener. Logs an exception that it throws, so that one listener cannot fail the others. */
export function notify(listener: (signal: Signal) => void, signal: Signal): void {
  try {
    listener(signal);
  } catch (error) {
    console.error("Taskcast: a listener of the broadcast layer failed:", error);
  }
}
