import type { WebhookRetry } from "../protocol/webhook.ts";

/** For webhooks. */
export interface WebhookConfig {
  /** For webhooks that say nothing else. */
  defaultRetry?: WebhookRetry;
  /**
   * Hosts that may have an address of a private network or of this machine, as they stand in the
   * webhook's URL; `true`: all. @default none
   */
  allowPrivate?: boolean | string[];
}
