import type { HttpClient } from "../http.ts";

/** Query parameters for the start of a stream, which differs between tabs. */
export const START_PARAMETERS: readonly string[] = ["since.index", "since.timestamp", "limit"];

/**
 * Returns the name by which streams find each other: equal for the same task, filter and format on
 * the same server and for the same caller. It is hashed, since developer tools list names.
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
    return undefined; // Not a JWT: only the identical token is the same caller.
  }
}
