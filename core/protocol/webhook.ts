import type { EventFilter } from "./event.ts";

/** How waiting times between attempts grow. */
export const BACKOFFS = ["exponential", "linear", "fixed"] as const;

/** How waiting times between attempts grow. */
export type Backoff = (typeof BACKOFFS)[number];

/** What happens when a delivery fails. */
export interface WebhookRetry {
  /** Attempts after the first, 0 to 20. @default {3} */
  retries?: number;
  /** How the waiting time grows from attempt to attempt. @default {"exponential"} */
  backoff?: Backoff;
  /** Milliseconds until the second attempt, up to an hour. @default {1000} */
  initialDelayMs?: number;
  /** Milliseconds that the waiting time does not go beyond, up to an hour. @default {30000} */
  maxDelayMs?: number;
  /** Milliseconds that one attempt may take, 100 to 15 000. @default {5000} */
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

/** Where a task's events are sent, as they are stored, in order, at least once. */
export interface Webhook {
  /** `https://` or `http://`, without user and password. */
  url: string;
  /** Only events that match. @default all, `taskcast:status` included */
  filter?: EventFilter;
  /**
   * Signs each delivery. `whsec_` and base64 is a key as Standard Webhooks has it; anything else is
   * the key itself. Never shown again.
   */
  secret?: string;
  /** The body is the envelope that SSE has; `false`: the bare data. @default {true} */
  wrap?: boolean;
  /** How often and when a delivery that failed is tried again. @default the server's */
  retry?: WebhookRetry;
}

/** Deliveries that were given up, one after another and for the same reason. */
export interface FailedDeliveries {
  /** Index of the first event. */
  from: number;
  /** Index of the last. */
  through: number;
  /** How many. */
  count: number;
  /** Why the last attempt failed. */
  error: string;
  /** When the last was given up. Unix milliseconds. */
  at: number;
}

/** Where a webhook of a task stands. */
export interface WebhookStatus {
  /** What it is called in addresses: `0`, `1` … in the order of the task, or a global one's name. */
  hook: string;
  /** Where it goes; without its query, which may hold a secret. */
  url: string;
  /** Everything before this index was delivered, given up, or does not match. */
  nextIndex: number;
  /** Attempts that the next event has had. */
  attempts: number;
  /** When it is tried again; left out when that is now, or nothing waits. Unix milliseconds. */
  nextAttemptAt?: number;
  /** Why the last attempt failed, if it did. */
  error?: string;
  /** What was given up, and can be tried again. */
  failed: FailedDeliveries[];
}
