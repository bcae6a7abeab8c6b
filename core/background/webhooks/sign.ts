// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

const encoder = new TextEncoder();

/** A message to sign. */
export interface SignedMessage {
  /** The id of the message; the same for all attempts. */
  id: string;
  /** The time of the attempt in Unix seconds. */
  timestamp: number;
  /** The body as it is sent. */
  body: string;
}

/**
 * Returns the headers that prove the sender and the time of a message: those of Standard Webhooks and our
 * own.
 *
 * @param secret A key in base64 after the prefix `whsec_`; any other text is the key itself.
 */
export async function signatureHeaders(
  secret: string,
  { id, timestamp, body }: SignedMessage,
): Promise<Record<string, string>> {
  const key = await crypto.subtle.importKey(
    "raw",
    keyOf(secret),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  const sign = async (text: string) =>
    new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text)));
  return {
    "webhook-signature": `v1,${
      btoa(String.fromCharCode(...await sign(`${id}.${timestamp}.${body}`)))
    }`,
    "x-taskcast-signature": `sha256=${hex(await sign(`${timestamp}.${body}`))}`,
  };
}

function keyOf(secret: string): Uint8Array<ArrayBuffer> {
  const encoded = /^whsec_([A-Za-z0-9+/]+=*)$/.exec(secret)?.[1];
  if (encoded === undefined) return encoder.encode(secret);
  try {
    return Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
  } catch {
    return encoder.encode(secret);
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
