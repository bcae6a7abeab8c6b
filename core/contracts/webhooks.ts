import type { Webhook, WebhookRetry } from "../protocol/webhook.ts";

/** One delivery attempt. */
export interface WebhookRequest {
  /** The receiver's address. */
  url: string;
  /** The headers, in lower case. */
  headers: Readonly<Record<string, string>>;
  /** JSON text. */
  body: string;
  /** Time limit in milliseconds, from resolving the address to the end of the response. */
  timeoutMs: number;
  /** Aborts the attempt. */
  signal: AbortSignal;
}

/** The receiver's response. */
export interface WebhookResponse {
  /** HTTP status. */
  status: number;
  /** The receiver's `Retry-After` in milliseconds, if it sent one. */
  retryAfterMs?: number;
}

/** Sends webhooks. Anything but an HTTP response is an error whose message gives the reason. */
export interface WebhookSender {
  /**
   * Returns the reason why an address is never sent to, as far as it can be decided without a lookup;
   * `undefined` if it may be sent to.
   */
  refusal(url: string): string | undefined;
  /** Makes one attempt: a POST that follows no redirect. */
  send(request: WebhookRequest): Promise<WebhookResponse>;
}

/** A webhook that applies to all new tasks of some types. */
export interface GlobalWebhook extends Webhook {
  /** Its name in URLs: 1-64 characters of `a-z A-Z 0-9 _ -`, not only digits. */
  name: string;
  /** Applies only to tasks of these types; wildcards as in filters. @default all */
  taskTypes?: string[];
}

/** Webhook settings of an engine. */
export interface WebhookOptions {
  /** Makes the delivery attempts. */
  sender: WebhookSender;
  /** Retry policy of webhooks that specify none. */
  defaultRetry?: WebhookRetry;
  /** Webhooks of all tasks created from now on. All instances must be given the same ones. */
  hooks?: readonly GlobalWebhook[];
}

/** An abandoned delivery. */
export interface WebhookFailure {
  /** Name of the webhook. */
  hook: string;
  /** The receiver's address, without its query. */
  url: string;
  /** Index of the event. */
  index: number;
  /** Type of the event. */
  type: string;
  /** Number of attempts. */
  attempts: number;
  /** Reason why the last attempt failed. */
  error: string;
}
