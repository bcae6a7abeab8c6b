import { escapeLineSeparators, toJsonLine } from "@taskcast/core/protocol";
import type { RequestInfo } from "./request_info.ts";

/**
 * Answers with JSON and the request's id. Adding the id afterwards would make Deno discard the
 * response that it has prepared: 14.7 µs of CPU time for a request that does nothing else, against
 * 12.6 µs (medians of four runs on a noisy machine).
 */
export function jsonAnswer(
  info: RequestInfo,
  json: string,
  { status, headers }: { status: number; headers?: Record<string, string> },
): Response {
  return info.named = new Response(escapeLineSeparators(json), {
    status,
    headers: {
      "content-type": "application/json",
      "x-request-id": info.requestId,
      ...headers,
    },
  });
}

/** Like `Response.json()`, but on one line that ends with a line break. */
export function jsonResponse(
  value: unknown,
  { status = 200, headers }: { status?: number; headers?: Record<string, string> } = {},
): Response {
  return new Response(toJsonLine(value), {
    status,
    headers: { "content-type": "application/json", ...headers },
  });
}
