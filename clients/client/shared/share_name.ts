import type { HttpClient } from "../http.ts";

/** Query parameters that choose the start of a stream. Tabs with different starts can share. */
export const START_PARAMETERS: readonly string[] = ["since.index", "since.timestamp", "limit"];

/**
 * Returns the name of the lock and the channel of a stream: equal for the same task, filter and
 * format on the same server and for the same caller. It is hashed, because developer tools list
 * such names and it may contain a token.
 */
export async function shareName(http: HttpClient, streamUrl: string): Promise<string> {
  const url = new URL(streamUrl);
  for (const name of START_PARAMETERS) url.searchParams.delete(name);
  const { token, headers } = await http.credentials();
  const who = token === undefined ? "" : subjectOf(token) ?? token;
  const text = JSON.stringify([url.href, who, Object.entries(headers).sort()]);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0"));
  return `taskcast:${hex.join("")}`;
}

/** Returns the issuer and subject of a JWT, which stay the same when it is renewed. */
function subjectOf(token: string): string | undefined {
  try {
    const base64 = token.split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    const { iss, sub } = JSON.parse(new TextDecoder().decode(bytes));
    return typeof sub === "string" ? JSON.stringify([iss, sub]) : undefined;
  } catch {
    return undefined; // Not a JWT: the whole token identifies the caller.
  }
}
