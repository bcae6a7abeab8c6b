import type { GlobalWebhook } from "../contracts/webhooks.ts";
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
  /** Webhooks of all tasks that are created from now on, or of those of some types. @default none */
  hooks?: GlobalWebhook[];
}
