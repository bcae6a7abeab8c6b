import type { EventEnvelope } from "@taskcast/core/protocol";

/** Contents of a verified webhook. */
export interface VerifiedWebhook<Body = EventEnvelope> {
  /** The same for all attempts at one event: what was seen before may be left out. */
  id: string;
  /** The event's type. */
  type: string;
  /** When it was sent. Unix seconds. */
  timestamp: number;
  /** The envelope; the event's data for webhooks with `wrap: false`. */
  body: Body;
}

/** Options for {@linkcode verifyWebhook}. */
export interface VerifyWebhookOptions {
  /** The webhook's secret; several while it is being changed. */
  secret: string | readonly string[];
  /** Seconds that a message may be old, or ahead. @default {300} */
  toleranceSeconds?: number;
  /** Unix milliseconds. @default now */
  nowMs?: number;
}

/** Thrown if a webhook does not come from a holder of the secret, was altered, or is old. */
export class WebhookVerificationError extends Error {
  /** `WebhookVerificationError`. */
  override name = "WebhookVerificationError";
}

const encoder = new TextEncoder();

/**
 * Checks that a webhook was sent by who has the secret, as Standard Webhooks says it, and reads it.
 *
 * Answer 2xx once the event is safe; anything else has it sent again. The order of a task's events
 * is kept, and an event may come twice: go by `id`.
 *
 * @param request The request, whose body was not read yet.
 * @throws {WebhookVerificationError} If it was not; answer 401.
 *
 * @example
 * ```ts
 * import { verifyWebhook } from "@taskcast/server-sdk";
 *
 * async function receive(request: Request): Promise<Response> {
 *   try {
 *     const { id, body } = await verifyWebhook(request, { secret: "a secret of your own" });
 *     console.log(id, body.taskId, body.type, body.data);
 *     return new Response(null, { status: 204 });
 *   } catch {
 *     return new Response(null, { status: 401 });
 *   }
 * }
 * ```
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export async function verifyWebhook<Body = EventEnvelope>(
  request: Request,
  { secret, toleranceSeconds = 300, nowMs = Date.now() }: VerifyWebhookOptions,
): Promise<VerifiedWebhook<Body>> {
  const header = (name: string) => {
    const value = request.headers.get(name);
    if (value === null) throw new WebhookVerificationError(`The header ${name} is missing`);
    return value;
  };
  const id = header("webhook-id");
  const timestamp = Number(header("webhook-timestamp"));
  const signatures = header("webhook-signature").split(" ");
  if (!(Math.abs(nowMs / 1000 - timestamp) <= toleranceSeconds)) {
    throw new WebhookVerificationError("It is too old, or the clocks differ");
  }
  const text = await request.text();
  const signed = encoder.encode(`${id}.${timestamp}.${text}`);
  const secrets = typeof secret === "string" ? [secret] : secret;
  for (const one of secrets) {
    const key = await crypto.subtle.importKey(
      "raw",
      keyOf(one),
      { name: "HMAC", hash: "SHA-256" },
      false,
      ["verify"],
    );
    for (const signature of signatures) {
      const bytes = signature.startsWith("v1,") ? fromBase64(signature.slice(3)) : undefined;
      // Compares in constant time.
      if (bytes !== undefined && await crypto.subtle.verify("HMAC", key, bytes, signed)) {
        const type = decodeURIComponent(header("x-taskcast-event"));
        return { id, type, timestamp, body: JSON.parse(text) };
      }
    }
  }
  throw new WebhookVerificationError("No signature fits");
}

/** `whsec_` and base64 is a key in base64, anything else the key itself. */
function keyOf(secret: string): Uint8Array<ArrayBuffer> {
  const encoded = /^whsec_([A-Za-z0-9+/]+=*)$/.exec(secret)?.[1];
  return (encoded === undefined ? undefined : fromBase64(encoded)) ?? encoder.encode(secret);
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
