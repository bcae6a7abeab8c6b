import { createTask } from "../harness/api.ts";
import type { Bench } from "../harness/bench.ts";
import { scaled } from "../harness/bench.ts";
import { plainEvent } from "../harness/events.ts";
import { inTurns, latenciesOf, median, ratioOf } from "../harness/measure.ts";
import type { Usage } from "../harness/processes.ts";
import { usageOf, watchUsage } from "../harness/processes.ts";

const LINES_A_CHUNK = 500;
/** Timed requests of one chunk each in a round. */
const REQUESTS = 50;

/** Measures lines of JSON on one connection. */
export async function ndjson(bench: Bench): Promise<void> {
  const { server, bare, rounds, storage } = bench;
  const count = scaled(bench, 200_000);
  const chunk = chunkOfLines();
  const ours = async (): Promise<Run> => {
    const url = `${server.url}/tasks/${await createTask(server.url)}/events`;
    const run = await watchUsage(server, () => publish(url, chunk, count));
    const tookMs: number[] = [];
    while (tookMs.length < REQUESTS) {
      const { seconds, errors } = await publish(url, chunk, LINES_A_CHUNK);
      tookMs.push(seconds * 1000);
      run.value.errors += errors;
    }
    return { ...run, tookMs };
  };
  const theirs = async (): Promise<Run> => ({
    ...await watchUsage(bare, () => publish(`${bare.url}/lines`, chunk, count)),
    tookMs: [],
  });
  await ours();
  await theirs();
  const runs = await inTurns(rounds, { ours, theirs });
  const [rates, bareRates] = [runs.ours, runs.theirs].map((of) =>
    of.map(({ value }) => value.linesPerSecond)
  );
  bench.report({
    scenario: "publish over one NDJSON request",
    unit: "events/s",
    value: median(rates!),
    baseline: median(bareRates!),
    baselineName: "bare route that parses the same lines",
    ratio: ratioOf(rates!, bareRates!),
    ...storage === "memory" ? { target: 200_000, targetIs: "at least" as const } : {},
    rounds,
    errors: [...runs.ours, ...runs.theirs].reduce((sum, { value }) => sum + value.errors, 0),
    ...latenciesOf(runs.ours.map(({ tookMs }) => tookMs)),
    ...usageOf(runs.ours),
  });
}

function chunkOfLines(): Uint8Array<ArrayBuffer> {
  const lines = Array.from({ length: LINES_A_CHUNK }, (_, i) => JSON.stringify(plainEvent(i)));
  return new TextEncoder().encode(lines.join("\n") + "\n");
}

/** Outcome of a round. */
interface Run {
  value: Published;
  usage: Usage;
  /** Latencies of requests of one chunk. */
  tookMs: number[];
}

interface Published {
  seconds: number;
  linesPerSecond: number;
  /** Lines that were not accepted. */
  errors: number;
}

/** Sends about `count` lines, the same chunk repeatedly, so that the client costs little. */
async function publish(
  url: string,
  chunk: Uint8Array<ArrayBuffer>,
  count: number,
): Promise<Published> {
  let left = Math.ceil(count / LINES_A_CHUNK);
  const sent = left * LINES_A_CHUNK;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      if (left-- > 0) controller.enqueue(chunk);
      else controller.close();
    },
  });
  const startedMs = performance.now();
  const headers = { "content-type": "application/x-ndjson" };
  const response = await fetch(url, { method: "POST", headers, body });
  const receipt = await response.json();
  const seconds = (performance.now() - startedMs) / 1000;
  const errors = sent - receipt.published;
  if (errors !== 0) console.error(`sent ${sent} lines: ${JSON.stringify(receipt)}`);
  return { seconds, linesPerSecond: receipt.published / seconds, errors };
}
