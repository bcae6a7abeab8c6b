import { headerNameProblem, originProblem } from "@taskcast/core/internal";
import type { MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { assertKnownOptions } from "../assert_known_options.ts";

/** Access of pages from other origins. */
export interface CorsOptions {
  /**
   * `*`, or the allowed origins, each as browsers write it: `https://example.com`; or a function
   * that returns whether an origin is allowed.
   */
  origin: string | string[] | ((origin: string) => boolean);
  /** Lets browsers send cookies; not with `*`. @default {false} */
  credentials?: boolean;
  /**
   * Request headers that pages may send, beside those that Taskcast reads and those of tracing
   * (`traceparent`, `baggage`, `sentry-trace`), e.g. the ones in the client's option `headers`.
   * @default none
   */
  allowedHeaders?: string[];
  /** Seconds for which a browser may cache the answer to a preflight. @default {600} */
  maxAgeSeconds?: number;
}

/**
 * Returns middleware that lets pages of other origins call.
 *
 * @throws {TypeError} If no browser would let a page in with these options.
 */
export function corsOf(options: CorsOptions): MiddlewareHandler {
  assertCors(options);
  const { origin, credentials = false, maxAgeSeconds = 600, allowedHeaders = [] } = options;
  return cors({
    origin: typeof origin === "function" ? (asking) => origin(asking) ? asking : null : origin,
    credentials,
    maxAge: maxAgeSeconds,
    allowMethods: ["GET", "POST", "PATCH", "DELETE"],
    allowHeaders: [
      "authorization",
      "baggage",
      "content-type",
      "idempotency-key",
      "last-event-id",
      "sentry-trace",
      "taskcast-lease",
      "traceparent",
      "tracestate",
      "x-request-id",
      "x-taskcast-service-key",
      ...allowedHeaders.map((name) => name.toLowerCase()),
    ],
    exposeHeaders: [
      "idempotency-replayed",
      "link",
      "location",
      "retry-after",
      "taskcast-lease",
      "taskcast-lease-until",
      "x-request-id",
    ],
  });
}

function assertCors(options: CorsOptions): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError("cors must be an object with origin");
  }
  assertKnownOptions(
    options,
    { origin: true, credentials: true, allowedHeaders: true, maxAgeSeconds: true },
    "cors",
  );
  const { origin, credentials = false, maxAgeSeconds = 600, allowedHeaders = [] } = options;
  if (typeof credentials !== "boolean") {
    throw new TypeError("cors.credentials must be true or false");
  }
  if (!Number.isSafeInteger(maxAgeSeconds) || maxAgeSeconds < 0) {
    throw new TypeError("cors.maxAgeSeconds must be a whole number, 0 or more");
  }
  if (!Array.isArray(allowedHeaders)) {
    throw new TypeError("cors.allowedHeaders must be a list of names of headers");
  }
  for (const name of allowedHeaders) {
    const problem = headerNameProblem(name);
    if (problem !== undefined) {
      throw new TypeError(`cors.allowedHeaders: ${JSON.stringify(name)} ${problem}`);
    }
  }
  if (origin === "*") {
    // Browsers refuse this combination.
    if (credentials) {
      throw new TypeError('cors.credentials cannot be true while cors.origin is "*"');
    }
    return;
  }
  if (typeof origin === "function") return;
  if (Array.isArray(origin) && origin.length === 0) {
    throw new TypeError("cors.origin is empty, so cors allows nobody; leave cors out");
  }
  for (const one of Array.isArray(origin) ? Array.from(origin) : [origin]) {
    const problem = originProblem(one);
    if (problem !== undefined) {
      throw new TypeError(`cors.origin: ${JSON.stringify(one)} ${problem}`);
    }
  }
}
