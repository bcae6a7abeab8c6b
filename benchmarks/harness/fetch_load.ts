import { quantile } from "./measure.ts";
import type { RequestLoad, RequestLoadResult } from "./request_load.ts";

/**
 * Sends requests by `fetch` from this process. It is slower than wrk, so the client may be the
 * bottleneck, but it needs no program and can run for less than a second.
 */
export async function loadByFetch(
  { url, requests, connections, seconds }: RequestLoad,
): Promise<RequestLoadResult> {
  const prepared = requests.map(({ method, path, body }) => ({
    url: url + path,
    init: body === undefined ? { method } : {
      method,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    },
  }));
  const tookMs: number[] = [];
  let next = 0;
  let errors = 0;
  const startedMs = performance.now();
  const endMs = startedMs + 1000 * seconds;
  await Promise.all(Array.from({ length: connections }, async () => {
    for (let nowMs = startedMs; nowMs < endMs;) {
      const { url, init } = prepared[next++ % prepared.length]!;
      const sentMs = nowMs;
      try {
        const response = await fetch(url, init);
        await response.bytes();
        if (!response.ok) errors++;
      } catch {
        errors++;
      }
      nowMs = performance.now();
      tookMs.push(nowMs - sentMs);
    }
  }));
  return {
    requestsPerSecond: tookMs.length / (performance.now() - startedMs) * 1000,
    p50Ms: quantile(tookMs, 0.5),
    p99Ms: quantile(tookMs, 0.99),
    errors,
    generator: "fetch",
  };
}
