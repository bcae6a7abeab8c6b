import { saidOf } from "../http_errors.ts";
import { EVENT_STREAM_HEADERS } from "./response.ts";

/** Milliseconds that a browser waits at least before it asks again. */
const MIN_RETRY_MS = 2_000;

/** Operations that answer with a stream. */
const STREAM_ROUTES: readonly string[] = ["/tasks/{id}/events", "/events"];

/**
 * A refusal for now, as a browser's `EventSource` can take it: any status but 200 ends it for good,
 * also that of a server that is back in a second. So it gets a stream that says how long to wait, and
 * why in a comment, and ends.
 *
 * Only for requests that accept nothing but a stream. Whoever also takes JSON, as our clients do, gets
 * the status.
 *
 * @param refusal The answer with its status.
 * @returns `undefined` if the answer is to stay as it is.
 */
export function streamedRefusal(
  request: Request,
  route: string,
  refusal: { error: unknown; response: Response },
): Response | undefined {
  const { status, headers } = refusal.response;
  if (status !== 503 && status !== 429) return undefined;
  if (request.method !== "GET" || !STREAM_ROUTES.includes(route)) return undefined;
  if (request.headers.get("accept")?.trim().toLowerCase() !== "text/event-stream") return undefined;
  const retryMs = Math.max(MIN_RETRY_MS, 1000 * Number(headers.get("retry-after")));
  const { code, message } = saidOf(refusal.error);
  const comment = `${code}: ${message}`.replaceAll(/[\r\n]+/g, " ");
  return new Response(`retry: ${retryMs}\n: ${comment}\n\n`, { headers: EVENT_STREAM_HEADERS });
}
