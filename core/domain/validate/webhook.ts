import { invalidInput } from "../../protocol/errors.ts";
import { BOUNDS } from "../../protocol/limits.ts";
import type { Webhook, WebhookRetry } from "../../protocol/webhook.ts";
import { BACKOFFS } from "../../protocol/webhook.ts";
import { integer, list, object, oneOf, optional, text } from "./checks.ts";
import { assertFilter } from "./query.ts";

const HOUR_MS = 3_600_000;
const FIELDS = ["url", "filter", "secret", "wrap", "retry"];

/** Requires a list of webhooks. */
export function assertWebhooks(value: unknown, path: string): asserts value is Webhook[] {
  list(value, path, BOUNDS.webhooks).forEach((hook, i) => assertWebhook(hook, `${path}[${i}]`));
}

/** Requires a webhook. Additional fields are allowed if they are listed in `more`. */
export function assertWebhook(
  value: unknown,
  path: string,
  more: readonly string[] = [],
): asserts value is Webhook {
  const fields = object(value, path, [...FIELDS, ...more]);
  assertUrl(fields.url, `${path}.url`);
  optional(fields, path, "filter", assertFilter);
  optional(fields, path, "secret", (secret, at) => text(secret, at));
  optional(fields, path, "wrap", (wrap, at) => {
    if (typeof wrap !== "boolean") throw invalidInput(at, "must be true or false");
  });
  optional(fields, path, "retry", assertWebhookRetry);
}

/** Requires valid settings of retries. */
export function assertWebhookRetry(value: unknown, path: string): asserts value is WebhookRetry {
  const fields = object(value, path, [
    "retries",
    "backoff",
    "initialDelayMs",
    "maxDelayMs",
    "timeoutMs",
  ]);
  optional(fields, path, "retries", (v, at) => integer(v, at, 0, 20));
  optional(fields, path, "backoff", (v, at) => oneOf(v, at, BACKOFFS));
  optional(fields, path, "initialDelayMs", (v, at) => integer(v, at, 0, HOUR_MS));
  optional(fields, path, "maxDelayMs", (v, at) => integer(v, at, 0, HOUR_MS));
  optional(fields, path, "timeoutMs", (v, at) => integer(v, at, 100, 15_000));
}

function assertUrl(value: unknown, path: string): void {
  const url = text(value, path, BOUNDS.urlLength);
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !["http:", "https:"].includes(parsed.protocol)) {
    throw invalidInput(path, "must be an address that begins with https:// or http://");
  }
  if (parsed.username !== "" || parsed.password !== "") {
    throw invalidInput(path, "must hold no user and password; use secret");
  }
}
