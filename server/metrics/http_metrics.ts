import type { AnsweredRequest } from "../requests/observe_requests.ts";
import { Distribution } from "./distribution.ts";
import type { Instruments } from "./instruments.ts";
import { FAST_BUCKETS } from "./instruments.ts";

/** Metrics of HTTP requests. */
export interface HttpMetrics {
  /** A request was answered. */
  answered(answered: AnsweredRequest): void;
  /** Bytes were given to a stream's socket. Called per chunk and reader, so it only adds. */
  sent(bytes: number): void;
}

/** Requests of one method and route. */
interface Counts {
  seconds: Distribution;
  /** Answers by their status. */
  answers: Map<number, number>;
}

/** Measures requests: by the route's pattern, never by a path that callers choose. */
export function addHttpMetrics(make: Instruments): HttpMetrics {
  // Two look-ups, since putting a key together would cost more than both.
  const byRoute = new Map<string, Map<string, Counts>>();
  const all: Counts[] = [];
  const countsOf = (method: string, route: string): Counts => {
    const byMethod = byRoute.get(route) ?? new Map<string, Counts>();
    let counts = byMethod.get(method);
    if (counts === undefined) {
      counts = { seconds: new Distribution(FAST_BUCKETS, { method, route }), answers: new Map() };
      all.push(counts);
      byRoute.set(route, byMethod.set(method, counts));
    }
    return counts;
  };
  make.countedEach(
    "http_requests_total",
    "Requests answered",
    () =>
      all.flatMap(({ seconds: { labels }, answers }) =>
        Array.from(answers, ([status, value]) => ({
          labels: { method: labels.method!, route: labels.route!, status },
          value,
        }))
      ),
  );
  make.distributions(
    "http_request_duration_seconds",
    "Until the answer began; streams go on after that",
    () => all.map(({ seconds }) => seconds),
  );
  let bytes = 0;
  make.counted("sent_bytes_total", "Bytes given to the sockets of streams", () => bytes);
  return {
    answered({ method, route, status, durationMs }) {
      const { seconds, answers } = countsOf(method, route);
      seconds.observe(durationMs / 1000);
      answers.set(status, (answers.get(status) ?? 0) + 1);
    },
    sent(more) {
      bytes += more;
    },
  };
}
