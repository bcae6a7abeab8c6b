/** What happens when a delivery of a webhook fails. */
export interface WebhookRetryConfig {
  /** Attempts after the first, 0 to 20. @default {3} */
  retries?: number;
  /** How the waiting time grows from attempt to attempt. @default {"exponential"} */
  backoff?: "exponential" | "linear" | "fixed";
  /** Milliseconds until the second attempt, up to an hour. @default {1000} */
  initialDelayMs?: number;
  /** Milliseconds that the waiting time does not go beyond, up to an hour. @default {30000} */
  maxDelayMs?: number;
  /** Milliseconds that one attempt may take, 100 to 15 000. @default {5000} */
  timeoutMs?: number;
}

/** For webhooks. */
export interface WebhookConfig {
  /** For webhooks that say nothing else. */
  defaultRetry?: WebhookRetryConfig;
}
