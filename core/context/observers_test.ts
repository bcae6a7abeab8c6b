import assert from "node:assert/strict";
import type { EngineObserver } from "../contracts/observer.ts";
import { MemoryBroadcastProvider } from "../memory/broadcast.ts";
import { MemoryLongTermStore } from "../memory/long_term_store.ts";
import { MemoryShortTermStore } from "../memory/short_term_store.ts";
import type { EventInput } from "../protocol/event.ts";
import type { TaskEngineOptions } from "../engine/options.ts";
import { TaskEngine } from "../engine/engine.ts";

function makeEngine(options: Partial<TaskEngineOptions> = {}): TaskEngine {
  return new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
    ...options,
  });
}

const event: EventInput = { type: "a", data: "x".repeat(1_000) };

Deno.test("an observer is told of each new event once, however many readers there are", async () => {
  await using engine = makeEngine();
  let deliveries = 0;
  engine.observe({ onDelivery: () => deliveries++ });
  await engine.createTask({ id: "t" });
  await engine.publishEvent("t", event);
  const readers = Array.from({ length: 50 }, () => engine.subscribe("t").getReader());
  for (let i = 0; i < 2; i++) await Promise.all(readers.map((reader) => reader.read()));
  assert.equal(deliveries, 0, "what was there before");
  for (let i = 1; i <= 10; i++) {
    const next = Promise.all(readers.map((reader) => reader.read()));
    await engine.publishEvents("t", [event]);
    await next;
  }
  assert(deliveries >= 9 && deliveries <= 10, `${deliveries} for 10 events and 50 readers`);
  await Promise.all(readers.map((reader) => reader.cancel()));
});

Deno.test("a reader that lags reads by itself and is observed; memory held for readers is observed, too", async () => {
  await using engine = makeEngine({ options: { tailBytes: 10_000 } });
  let alone = 0;
  engine.observe({ onLaggingRead: (events) => alone += events });
  await engine.createTask({ id: "t" });
  await engine.publishEvent("t", event);
  const open = async () => {
    const reader = engine.subscribe("t", { since: { index: -1 } }).getReader();
    for (let i = 0; i < 2; i++) await reader.read();
    return reader;
  };
  const slow = await open();
  const fast = await open();
  for (let i = 0; i < 300; i++) {
    const next = fast.read();
    await engine.publishEvent("t", event);
    await next;
  }
  assert.equal(alone, 0);
  const { tailBytes, viewBytes } = engine.stats;
  assert(tailBytes > 1_000 && tailBytes < 20_000, `${tailBytes}`);
  assert(viewBytes > 0);
  for (let i = 0; i < 300; i++) await slow.read();
  assert(alone > 200 && alone <= 300, `${alone} events`);
  await Promise.all([slow.cancel(), fast.cancel()]);
  assert.deepEqual([engine.stats.tailBytes, engine.stats.viewBytes], [0, 0]);
});

Deno.test("an observer that throws is reported, and changes nothing; one that left hears nothing", async () => {
  const reported: unknown[] = [];
  await using engine = makeEngine({
    hooks: { onUnhandledError: (error, { operation }) => void reported.push([error, operation]) },
  });
  const commits: unknown[] = [];
  engine.observe({
    onCommit: () => {
      throw "bad";
    },
  });
  const stop = engine.observe({
    onCommit: ({ durationMs: _, ...commit }) => commits.push(commit),
  });
  await engine.createTask({ id: "t" });
  await engine.publishEvents("t", [event, event]);
  await assert.rejects(engine.createTask({ id: "t" }));
  await engine.transitionTask("t", "completed");
  assert.deepEqual(commits, [
    { outcome: "ok", published: 0 },
    { outcome: "ok", published: 2 },
    { outcome: "EXISTS", published: 0 },
    { outcome: "ok", published: 0, ended: "completed" },
  ]);
  assert.deepEqual(reported, Array(4).fill(["bad", "observer"]));
  stop();
  await engine.createTask();
  assert.equal(commits.length, 4);
});

Deno.test("failures of the store and of the archive are observed as such, and waiting work is counted", async () => {
  const store = new MemoryShortTermStore();
  const archive = new MemoryLongTermStore();
  const write = archive.archive.bind(archive);
  const check = archive.check.bind(archive);
  archive.archive = () => Promise.reject(new Error("away"));
  archive.check = () => Promise.reject(new Error("away"));
  await using engine = makeEngine({
    shortTermStore: store,
    longTermStore: archive,
    options: { archiveDelayMs: 0, sweepMs: 0 },
    hooks: { onUnhandledError: () => {} },
  });
  const told: string[] = [];
  const observer: EngineObserver = {
    onCommit: ({ outcome }) => told.push(outcome),
    onArchiving: ({ ok }) => told.push(`archive ${ok}`),
  };
  assert.equal(await engine.archiveBacklog(), 0);
  await engine.createTask({ id: "t" });
  engine.observe(observer);
  await engine.sweep();
  assert.equal(await engine.archiveBacklog(), 1);
  assert(told.includes("archive false") && !told.includes("archive true"), `${told}`);
  Object.assign(archive, { archive: write, check });
  await engine.sweep();
  assert.equal(await engine.archiveBacklog(), 0);
  assert(told.includes("archive true"));
  store.commit = () => Promise.reject(new Error("away"));
  await assert.rejects(engine.createTask());
  assert.equal(told.at(-1), "ERROR");
});
