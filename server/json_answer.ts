import type { RequestInfo } from "./request_info.ts";

/**
 * Answers with JSON, and says the request's id at once. Whoever adds it afterwards makes Deno throw
 * away the answer that it has prepared: 14.7 µs of the processor's time for a request that does
 * nothing else, against 12.6 µs (medians of four runs on a noisy machine).
 */
export function jsonAnswer(
  info: RequestInfo,
  json: string,
  { status, headers }: { status: number; headers?: Record<string, string> },
): Response {
  return info.named = new Response(json, {
    status,
    headers: {
      "content-type": "application/json",
      "x-request-id": info.requestId,
      ...headers,
    },
  });
}
