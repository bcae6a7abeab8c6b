import { publicErrorOf } from "../http_errors.ts";
import { EVENT_STREAM_HEADERS } from "./response.ts";

/** Minimum milliseconds that a browser waits before it reconnects. */
const MIN_RETRY_MS = 2_000;

/** Operations that answer with a stream. */
const STREAM_ROUTES: readonly string[] = ["/tasks/{id}/events", "/events"];

/**
 * Returns a temporary refusal that a browser's `EventSource` can handle. Any status but 200 closes
 * an `EventSource` for good, even if the server is back in a second. It therefore gets a stream with
 * the reconnection delay and, in a comment, the reason. The stream then ends.
 *
 * Only requests that accept nothing but a stream get this. A client that also accepts JSON, as ours
 * do, gets the status.
 *
 * @param refusal The response with its status.
 * @returns `undefined` if the response should stay as it is.
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
  const { code, message } = publicErrorOf(refusal.error);
  const comment = `${code}: ${message}`.replaceAll(/[\r\n]+/g, " ");
  return new Response(`retry: ${retryMs}\n: ${comment}\n\n`, { headers: EVENT_STREAM_HEADERS });
}
