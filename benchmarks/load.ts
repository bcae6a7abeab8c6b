/** One result: a line of JSON. */
export interface Result {
  scenario: string;
  value: number;
  unit: string;
  /** The same work without Taskcast, in the same run. */
  baseline?: number;
  details?: Record<string, number>;
}

/** What scenarios are given. */
export interface Bench {
  /** The server under load. */
  url: string;
  /** The bare server. */
  baselineUrl: string;
  /** Bytes of memory of the server under load. */
  rss: () => Promise<number | undefined>;
  startMs?: number;
  /** Makes the scenarios smaller: 1 is full size. */
  scale: number;
  report: (result: Result) => void;
}

/** Sends JSON; anything but success is an error. */
export async function send(method: string, url: string, body?: unknown): Promise<Response> {
  const response = await fetch(url, {
    method,
    headers: { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!response.ok) {
    throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`);
  }
  return response;
}

/** Creates a task. */
export async function createTask(url: string): Promise<string> {
  return (await (await send("POST", `${url}/tasks`, {})).json()).id;
}

/** Runs `work` `count` times, `concurrency` at a time, and tells how often that went a second. */
export async function rate(
  count: number,
  concurrency: number,
  work: (i: number) => Promise<unknown>,
): Promise<number> {
  let next = 0;
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: concurrency }, async () => {
    while (next < count) await work(next++);
  }));
  return count / ((performance.now() - startedMs) / 1000);
}

/** The value that a share of the values is not above. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

/** Two digits that mean something are enough: machines are noisy. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

/** An event of about 200 bytes as it travels. */
export function plainEvent(i: number): Record<string, unknown> {
  return { type: "bench.step", data: { i, text: "x".repeat(40) } };
}

/** A token of a language model. */
export function tokenEvent(i: number): Record<string, unknown> {
  return {
    type: "llm.delta",
    data: { delta: `token${i % 10} ` },
    seriesId: "answer",
    seriesMode: "accumulate",
  };
}
