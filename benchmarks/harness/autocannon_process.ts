// Sends requests by autocannon, in a process of its own: what to send comes on standard input, the
// outcome goes to standard output.
import type { RequestLoad, RequestLoadResult } from "./request_load.ts";

/** The part of autocannon that is used. */
type Autocannon = (options: {
  url: string;
  connections: number;
  duration: number;
  requests: { method: string; path: string; headers?: Record<string, string>; body?: string }[];
}) => Promise<{
  requests: { total: number };
  latency: { p50: number; p99: number };
  duration: number;
  errors: number;
  non2xx: number;
}>;

/** Not written where it is imported, so that only those fetch it who load with it. */
const SPECIFIER = "npm:autocannon@^8.0.0";

const { default: autocannon } = await import(SPECIFIER) as { default: Autocannon };
const { url, requests, connections, seconds }: RequestLoad = JSON.parse(
  await new Response(Deno.stdin.readable).text(),
);
const { requests: { total }, latency, duration, errors, non2xx } = await autocannon({
  url,
  connections,
  duration: Math.max(1, Math.round(seconds)),
  requests: requests.map(({ method, path, body }) => ({
    method,
    path,
    ...body === undefined
      ? {}
      : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) },
  })),
});
const result: RequestLoadResult = {
  requestsPerSecond: total / duration,
  p50Ms: latency.p50,
  p99Ms: latency.p99,
  errors: errors + non2xx,
  generator: "autocannon",
};
console.log(`RESULT ${JSON.stringify(result)}`);
