import type { Checkable } from "./health.ts";

/** What a wake-up says: that a task's log grew, never what was written. */
export interface Signal {
  /** The task. */
  taskId: string;
  /** Index of the first event that the commit appended. */
  from: number;
  /** Events in the log after the commit. */
  length: number;
  /** The commit ended the task or deleted it. Worth a look at the store for who waits for that. */
  ended?: boolean;
}

/** Stops a subscription. May be called twice. */
export type Unsubscribe = () => void | Promise<void>;

/** Which signals: those of one task, or of all. */
export type SignalScope = { taskId: string } | { all: true };

/**
 * Wakes readers on this and other instances.
 *
 * - At most once: a signal may be lost, late, doubled, or merged with others of the same task.
 *   It is never the source of truth, so a loss costs latency and never an event.
 * - `publish` must not reject because of a reader, and must not wait for one.
 */
export interface BroadcastProvider extends Checkable {
  /** Tells everybody who listens. */
  publish(signal: Signal): void | Promise<void>;
  /** Listens. Resolves once the subscription is live: what is published after that is heard. */
  subscribe(scope: SignalScope, onSignal: (signal: Signal) => void): Promise<Unsubscribe>;
  /** Releases connections that the provider itself opened. Safe to call twice. */
  close(): Promise<void>;
}

/** Calls a listener. What it throws is its own bug: shown, and kept from everybody else. */
export function tell(listener: (signal: Signal) => void, signal: Signal): void {
  try {
    listener(signal);
  } catch (error) {
    console.error("Taskcast: a listener of the broadcast layer failed:", error);
  }
}
