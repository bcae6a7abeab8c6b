import type { EventFilter } from "./event.ts";

/** The growth functions of retry delays. */
export const BACKOFFS = ["exponential", "linear", "fixed"] as const;

/** The growth of the delay between attempts. */
export type Backoff = (typeof BACKOFFS)[number];

/** The retry policy of a webhook. */
export interface WebhookRetry {
  /** Number of attempts after the first, 0 to 20. @default {3} */
  retries?: number;
  /** Growth of the delay between attempts. @default {"exponential"} */
  backoff?: Backoff;
  /** Delay before the second attempt in milliseconds, up to an hour. @default {1000} */
  initialDelayMs?: number;
  /** Maximum delay in milliseconds, up to an hour. @default {30000} */
  maxDelayMs?: number;
  /** Time limit of one attempt in milliseconds, 100 to 15 000. @default {5000} */
  timeoutMs?: number;
}

/** The defaults of {@linkcode WebhookRetry}. */
export const DEFAULT_WEBHOOK_RETRY: Readonly<Required<WebhookRetry>> = {
  retries: 3,
  backoff: "exponential",
  initialDelayMs: 1_000,
  maxDelayMs: 30_000,
  timeoutMs: 5_000,
};

/** A receiver of a task's events: in order, at least once, after they are stored. */
export interface Webhook {
  /** `https://` or `http://` URL without user and password. */
  url: string;
  /** Delivers only matching events. @default all, including `taskcast:status` */
  filter?: EventFilter;
  /**
   * Key that signs each delivery. `whsec_` followed by base64 is a Standard Webhooks key; anything else
   * is the key itself. Never shown again.
   */
  secret?: string;
  /** Sends the same envelope as SSE; `false` sends the data alone. @default {true} */
  wrap?: boolean;
  /** Retry policy. @default the server's */
  retry?: WebhookRetry;
}

/** Consecutive abandoned deliveries with the same error. */
export interface FailedDeliveries {
  /** Index of the first event. */
  from: number;
  /** Index of the last event. */
  through: number;
  /** Number of events. */
  count: number;
  /** Reason why the last attempt failed. */
  error: string;
  /** Time at which the last delivery was abandoned. Unix milliseconds. */
  at: number;
}

/** The delivery state of a task's webhook. */
export interface WebhookStatus {
  /** Its name in URLs: `0`, `1` … in the order of the task, or the name of a global webhook. */
  hook: string;
  /** The receiver's address, without its query, which may hold a secret. */
  url: string;
  /** Every event before this index was delivered, was abandoned, or does not match. */
  nextIndex: number;
  /** Number of attempts made for the next event. */
  attempts: number;
  /** Time of the next attempt; left out if it is now or nothing is waiting. Unix milliseconds. */
  nextAttemptAt?: number;
  /** Reason why the last attempt failed, if it did. */
  error?: string;
  /** Abandoned deliveries, which can be retried. */
  failed: FailedDeliveries[];
}
