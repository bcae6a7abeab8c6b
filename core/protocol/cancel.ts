/** A request to stop a task. */
export interface CancelRequest {
  /** Why, for people. */
  reason?: string;
  /** Who asked, e.g. the `sub` of a token. */
  by?: string;
  /**
   * Milliseconds that the producer has to end the task itself, 0 to 600,000. After that the task is
   * cancelled by force. @default {5000}
   */
  graceMs?: number;
}

/** A requested stop. Times are Unix milliseconds. */
export interface TaskCancel {
  /** Time of the request. */
  requestedAt: number;
  /** Who asked. */
  by?: string;
  /** Why. */
  reason?: string;
  /** Time at which the task is cancelled by force. */
  deadlineAt: number;
  /** Time at which the producer confirmed that it saw the request. */
  seenAt?: number;
}

/** The default of {@linkcode CancelRequest.graceMs}. */
export const DEFAULT_GRACE_MS = 5_000;

/** The largest {@linkcode CancelRequest.graceMs}. */
export const MAX_GRACE_MS = 600_000;
