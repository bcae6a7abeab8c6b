import { escapeLineSeparators } from "../../protocol/line_separators.ts";
import type { Clock } from "../../contracts/clock.ts";
import { inTime } from "../../contracts/in_time.ts";
import type { StoredEvent } from "../../contracts/records.ts";
import type { WebhookRequest, WebhookResponse, WebhookSender } from "../../contracts/webhooks.ts";
import { envelopeJson, idOf } from "../../domain/event_json.ts";
import type { TaskHook } from "./hooks_of.ts";
import { signatureHeaders } from "./sign.ts";

/** Maximum number of characters kept of an error. */
const MAX_ERROR = 200;

/**
 * Milliseconds that a sender may take beyond the timeout of the attempt. After that it is not awaited any
 * more.
 */
const GRACE_MS = 1_000;

/** An event to send to a webhook. */
export interface Delivery {
  taskId: string;
  hook: TaskHook;
  event: StoredEvent;
  filteredIndex: number;
  /** The trace context to send. */
  traceparent?: string;
}

/** The outcome of an attempt. */
export type Outcome = { ok: true } | { ok: false; error: string; retryAfterMs?: number };

/** Sends an event once. Never throws. */
export async function attempt(
  sender: WebhookSender,
  { taskId, hook, event, filteredIndex, traceparent }: Delivery,
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<Outcome> {
  const { url, secret, wrap = true, retry: { timeoutMs } } = hook;
  const id = idOf(event);
  const timestamp = Math.floor(clock.now() / 1000);
  const json = wrap ? envelopeJson(taskId, filteredIndex, event) : event.data;
  const body = escapeLineSeparators(json);
  try {
    const signed = secret === undefined
      ? {}
      : await signatureHeaders(secret, { id, timestamp, body });
    const headers = {
      "content-type": "application/json",
      "user-agent": "Taskcast",
      "webhook-id": id,
      "webhook-timestamp": `${timestamp}`,
      "x-taskcast-event": headerValue(event.type),
      "x-taskcast-timestamp": `${timestamp}`,
      ...(traceparent === undefined ? {} : { traceparent }),
      ...signed,
    };
    const request = { url, headers, body, timeoutMs, signal };
    const { status, retryAfterMs } = await sendInTime(sender, request, clock);
    if (status >= 200 && status < 300) return { ok: true };
    const isRedirect = status >= 300 && status < 400;
    const error = isRedirect ? `HTTP ${status}: redirects are not followed` : `HTTP ${status}`;
    return { ok: false, error, retryAfterMs };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { ok: false, error: message.slice(0, MAX_ERROR) };
  }
}

/** Sends a request. Settles in time even if the sender, which may be the host's own, never does. */
async function sendInTime(
  sender: WebhookSender,
  request: WebhookRequest,
  clock: Clock,
): Promise<WebhookResponse> {
  const late = () => new Error(`no answer within ${request.timeoutMs} ms`);
  return await inTime(sender.send(request), request.timeoutMs + GRACE_MS, late, clock);
}

/** Returns a text as a header value. Characters that headers cannot contain are percent-encoded. */
function headerValue(text: string): string {
  return text.replace(/[^\x21-\x7e]+/g, encodeURIComponent);
}
