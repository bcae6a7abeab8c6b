// What the archive costs those who publish, and how fast it is itself: Redis alone and Redis with
// PostgreSQL, in turns, so that a noisy machine is noisy for both.
//
//   deno run -A benchmarks/archive.ts [--rounds 5] [--scale 1]
import { parseArgs } from "node:util";
import { createTask, send } from "./harness/api.ts";
import { plainEvent, tokenEvent } from "./harness/events.ts";
import { quantile, rate, rounded } from "./harness/measure.ts";
import type { Server } from "./harness/server.ts";
import { startTaskcast } from "./harness/server.ts";
import { openStorage } from "./harness/storages.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: {
    rounds: { type: "string", default: "5" },
    scale: { type: "string", default: "1" },
  },
});
const scale = Number(values.scale);

async function drop(response: Promise<Response>): Promise<void> {
  await (await response).body?.cancel();
}

async function singles(target: Server): Promise<number> {
  const ids = await Promise.all(Array.from({ length: 32 }, () => createTask(target.url)));
  return await rate(
    10_000 * scale,
    32,
    (i) => drop(send("POST", `${target.url}/tasks/${ids[i % 32]}/events`, plainEvent(i))),
  );
}

async function batches(target: Server): Promise<number> {
  const ids = await Promise.all(Array.from({ length: 8 }, () => createTask(target.url)));
  const batch = Array.from({ length: 100 }, (_, i) => tokenEvent(i));
  return 100 * await rate(
    300 * scale,
    8,
    (i) => drop(send("POST", `${target.url}/tasks/${ids[i % 8]}/events`, batch)),
  );
}

async function archived(target: Server): Promise<number> {
  const { counters } = await (await fetch(`${target.url}/health/detail`)).json();
  return counters.eventsArchived;
}

/** Waits until everything is archived; tells how many events that was a second since `startedMs`. */
async function archiveRate(target: Server, before: number, count: number): Promise<number> {
  const startedMs = performance.now();
  while (await archived(target) < before + count) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return count / ((performance.now() - startedMs) / 1000);
}

const results: Record<string, number[]> = {};
const add = (name: string, value: number) => (results[name] ??= []).push(value);

await using alone = await openStorage("redis");
await using both = await openStorage("redis+postgres");
await using redis = await startTaskcast(alone.args);
await using archiving = await startTaskcast(both.args);
await singles(redis);
await singles(archiving); // Warm-up.

for (let round = 0; round < Number(values.rounds); round++) {
  for (const [name, work] of [["single", singles], ["batches", batches]] as const) {
    add(`${name} redis`, await work(redis));
    add(`${name} redis+postgres`, await work(archiving));
    // What is left of the backlog must not slow the next.
    const { dependencies } = await (await fetch(`${archiving.url}/health/detail`)).json();
    if (!dependencies.longTermStore.ok) throw new Error("the archive cannot be reached");
    await new Promise((resolve) => setTimeout(resolve, 1_500));
  }
}
for (const name of ["single", "batches"]) {
  const value = quantile(results[`${name} redis+postgres`]!, 0.5);
  const baseline = quantile(results[`${name} redis`]!, 0.5);
  console.log(JSON.stringify({
    scenario: `publish (${name}) with an archive, against without`,
    unit: name === "single" ? "requests/s" : "events/s",
    value: rounded(value),
    baseline: rounded(baseline),
    ratio: rounded(value / baseline),
  }));
}

// The archive by itself: a backlog that is there when it starts.
const before = await archived(archiving);
const count = 100_000 * scale;
const batch = Array.from({ length: 1_000 }, (_, i) => tokenEvent(i));
const ids = await Promise.all(Array.from({ length: 20 }, () => createTask(archiving.url)));
const waiting = archiveRate(archiving, before, count);
await rate(
  count / 1_000,
  4,
  (i) => drop(send("POST", `${archiving.url}/tasks/${ids[i % 20]}/events`, batch)),
);
console.log(JSON.stringify({
  scenario: "events archived, published in arrays of 1000 meanwhile",
  unit: "events/s",
  value: rounded(await waiting),
}));
