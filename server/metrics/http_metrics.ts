import type { AnsweredRequest } from "../requests/observe_requests.ts";
import { Distribution } from "./distribution.ts";
import type { Instruments } from "./instruments.ts";
import { FAST_BUCKETS } from "./instruments.ts";

/** Records HTTP traffic. */
export interface HttpMetrics {
  /** Records that a request was answered. */
  answered(answered: AnsweredRequest): void;
  /**
   * Records bytes handed to a stream's socket. Called for every chunk of every reader, so it only
   * adds.
   */
  sent(bytes: number): void;
}

/** Counts of one method and route. */
interface Counts {
  seconds: Distribution;
  /** Number of answers by status. */
  answers: Map<number, number>;
}

/** Adds metrics about requests, by the route's pattern and never by a path that callers choose. */
export function addHttpMetrics(make: Instruments): HttpMetrics {
  // Two look-ups are cheaper than building a combined key.
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
    "Time until the answer began; streams go on after that",
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
