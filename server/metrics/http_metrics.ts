import type { AnsweredRequest } from "../observe_requests.ts";
import type { Instruments } from "./instruments.ts";
import { FAST_BUCKETS } from "./instruments.ts";

/** What goes over HTTP. */
export interface HttpMetrics {
  /** A request was answered. */
  answered(answered: AnsweredRequest): void;
  /** Bytes were given to a stream's socket. Called per chunk and reader, so it only adds. */
  sent(bytes: number): void;
}

/** Measures requests: by the route's pattern, never by a path that callers choose. */
export function addHttpMetrics(make: Instruments): HttpMetrics {
  const requests = make.counter("http_requests_total", "Requests answered", [
    "method",
    "route",
    "status",
  ]);
  const seconds = make.histogram(
    "http_request_duration_seconds",
    "Until the answer began; streams go on after that",
    FAST_BUCKETS,
    ["method", "route"],
  );
  let bytes = 0;
  make.counted("sent_bytes_total", "Bytes given to the sockets of streams", () => bytes);
  return {
    answered({ method, route, status, durationMs }) {
      requests.inc({ method, route, status });
      seconds.observe({ method, route }, durationMs / 1000);
    },
    sent(more) {
      bytes += more;
    },
  };
}
