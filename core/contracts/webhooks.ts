import type { Webhook, WebhookRetry } from "../protocol/webhook.ts";

/** One attempt of a delivery. */
export interface WebhookRequest {
  /** Where to. */
  url: string;
  /** The headers, in lower case. */
  headers: Readonly<Record<string, string>>;
  /** JSON. */
  body: string;
  /** Milliseconds that it may take, from the look-up of the address to the end of the answer. */
  timeoutMs: number;
  /** Gives it up. */
  signal: AbortSignal;
}

/** What the receiver answered. */
export interface WebhookResponse {
  /** HTTP status. */
  status: number;
  /** Milliseconds after which the receiver wants to be asked again, if it says so. */
  retryAfterMs?: number;
}

/** Sends webhooks. What is not an answer of HTTP is an error whose message says why. */
export interface WebhookSender {
  /**
   * Says why an address is never sent to, as far as can be told without asking anybody; `undefined`
   * when it may be.
   */
  refusal(url: string): string | undefined;
  /** Makes one attempt: a POST that follows no redirect. */
  send(request: WebhookRequest): Promise<WebhookResponse>;
}

/** A webhook of all tasks of some types. */
export interface GlobalWebhook extends Webhook {
  /** What it is called in addresses: 1-64 of `a-z A-Z 0-9 _ -`, not only digits. */
  name: string;
  /** Only tasks of these types, with wildcards as in filters. @default all */
  taskTypes?: string[];
}

/** What an engine needs to tell webhooks. */
export interface WebhookOptions {
  /** Sends them. */
  sender: WebhookSender;
  /** For webhooks that say nothing else. */
  defaultRetry?: WebhookRetry;
  /** Webhooks of all tasks that are created from now on. All instances must have the same. */
  hooks?: readonly GlobalWebhook[];
}

/** A delivery that was given up. */
export interface WebhookFailure {
  /** What the webhook is called. */
  hook: string;
  /** Where it goes; without its query. */
  url: string;
  /** The event's index. */
  index: number;
  /** The event's type. */
  type: string;
  /** How often it was tried. */
  attempts: number;
  /** Why the last attempt failed. */
  error: string;
}
