import type { EventEnvelope } from "@taskcast/core/protocol";

/** The contents of a verified webhook. */
export interface VerifiedWebhook<Body = EventEnvelope> {
  /** Id of the delivery, the same for all attempts. Skip ids that you have already stored. */
  id: string;
  /** The event's type. */
  type: string;
  /** Time of sending in Unix seconds. */
  timestamp: number;
  /** The envelope, or the event's data for webhooks with `wrap: false`. */
  body: Body;
}

/** Options for {@linkcode verifyWebhook}. */
export interface VerifyWebhookOptions {
  /** The webhook's secret, or several while it is being rotated. */
  secret: string | readonly string[];
  /** Maximum age in seconds, and maximum time ahead. @default {300} */
  toleranceSeconds?: number;
  /** Current time in Unix milliseconds. @default the system's clock */
  nowMs?: number;
}

/** The webhook was not sent by a holder of the secret, was altered, or is too old. */
export class WebhookVerificationError extends Error {
  /** `WebhookVerificationError`. */
  override name = "WebhookVerificationError";
}

const encoder = new TextEncoder();

/**
 * Verifies the signature of a webhook as defined by Standard Webhooks, and reads its body.
 *
 * Answer 2xx once the event is stored; after any other answer it is sent again. A task's events
 * arrive in order. An event may arrive twice, with the same `id`.
 *
 * @param request The request, with an unread body.
 * @throws {WebhookVerificationError} If the verification fails; answer 401.
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
    throw new WebhookVerificationError("The webhook is too old, or the clocks differ");
  }
  const text = await request.text();
  const signed = encoder.encode(`${id}.${timestamp}.${text}`);
  const secrets = typeof secret === "string" ? [secret] : secret;
  for (const candidate of secrets) {
    const key = await crypto.subtle.importKey(
      "raw",
      keyOf(candidate),
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
  throw new WebhookVerificationError("No signature matches");
}

/** Returns the key of a secret: the base64 text after `whsec_`, or else the secret itself. */
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
