import assert from "node:assert/strict";
import { MemoryBroadcastProvider } from "../memory/broadcast.ts";
import { MemoryShortTermStore } from "../memory/short_term_store.ts";
import type { EngineOptions } from "../context/context.ts";
import { createContext } from "../engine/create_context.ts";
import { nextChunk } from "./chunk_source.ts";
import { TaskEngine } from "../engine/engine.ts";
import { objectEncoder } from "./object_encoder.ts";
import { StreamControl } from "./stream_control.ts";
import { Tail } from "./tail.ts";

const nextTurn = () => new Promise((resolve) => setTimeout(resolve, 0));
const newControl = () => new StreamControl({ add: () => {}, delete: () => {} });

/** Creates a task, and returns its tail. */
async function tailOf(options: Partial<EngineOptions> = {}) {
  const parts = {
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
    options: { pollMs: 1e9, heartbeatMs: 1e9, ...options },
  };
  const engine = new TaskEngine(parts);
  await engine.createTask({ id: "t" });
  const { record } = (await parts.shortTermStore.getTask("t"))!;
  const context = createContext(parts, (error) => assert.fail(String(error)));
  const tail = new Tail(context, {
    taskId: "t",
    incarnation: record.incarnation,
    through: -1,
    onDiverged: () => {},
  });
  await tail.listen();
  return {
    engine,
    tail,
    async [Symbol.asyncDispose]() {
      await tail.close();
      await engine.close();
    },
  };
}

Deno.test("a tail drops its oldest events, many at a time, and keeps the newest if it fits", async () => {
  const tailBytes = 100_000;
  await using made = await tailOf({ tailBytes });
  const { engine, tail } = made;
  tail.wait(newControl(), () => {});
  const held: number[] = [];
  for (let i = 0; i < 500; i++) {
    await engine.publishEvent("t", { type: "a", data: "x".repeat(798) }); // 1 000 bytes each.
    await nextTurn();
    held.push(tail.bytes);
  }
  assert(Math.max(...held) <= tailBytes, `${Math.max(...held)}`);
  const drops = held.filter((bytes, i) => bytes < (held[i - 1] ?? 0)).length;
  assert(drops > 0 && drops < 30, `${drops} times`);
  assert(Math.min(...held.slice(100)) > 0.7 * tailBytes);
  await engine.publishEvent("t", { type: "a", data: "x".repeat(90_000) });
  await nextTurn();
  assert(tail.bytes > 90_000 && tail.bytes <= tailBytes, `${tail.bytes}`);
  await engine.publishEvent("t", { type: "a", data: "x".repeat(tailBytes) });
  await nextTurn();
  assert.equal(tail.bytes, 0, "what does not fit is not kept");
});

Deno.test("a batch is made once for all readers that need it, and dropped with the last of them", async () => {
  await using made = await tailOf();
  const { tail } = made;
  let batches = 0;
  const share = (through: number) =>
    tail.batches.get("all", { through }, () => Promise.resolve(++batches));
  for (let i = 0; i < 2; i++) tail.batches.join("all");
  assert.deepEqual(await Promise.all([share(0), share(0)]), [1, 1]);
  await nextTurn();
  assert.equal(await share(0), 1, "one that was slow");
  assert.equal(await share(1), 2);
  tail.batches.discard("all", { through: 0 });
  assert.equal(await share(1), 2, "that was another one");
  tail.batches.discard("all", { through: 1 });
  assert.equal(await share(1), 3);
  // A failed batch is not kept.
  await assert.rejects(
    tail.batches.get("all", { through: 2 }, () => Promise.reject(new Error("no"))),
  );
  assert.equal(await share(2), 4);
  tail.batches.leave("all");
  assert.equal(await share(2), 4);
  tail.batches.leave("all");
  tail.batches.join("all");
  assert.equal(await share(2), 5);
});

Deno.test("a reader that is ahead of the others gets what comes, though the log never ends", async () => {
  const store = new MemoryShortTermStore();
  let reads = Infinity;
  // Each read of the log finds one more event before it returns.
  const readLog = store.readLog.bind(store);
  store.readLog = async (...query) => {
    const page = await readLog(...query);
    if (++reads <= 300) await engine.publishEvent("t", { type: "a", data: reads });
    await nextTurn();
    return page;
  };
  await using engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: store,
    options: { pollMs: 1e9, heartbeatMs: 1e9 },
  });
  await engine.createTask({ id: "t" });
  await engine.publishEvent("t", { type: "a", data: 0 });
  const follow = async (since: { index?: number }) => {
    const { chunks } = await engine.openStream("t", { since }, objectEncoder);
    const noted = { events: 0 };
    const read = async () => {
      for (;;) {
        const { value, done } = await nextChunk(chunks);
        if (done) return;
        noted.events += value.filter(({ kind }) => kind === "event").length;
      }
    };
    void read();
    return noted;
  };
  const first = await follow({ index: -1 });
  await nextTurn();
  reads = 0;
  await engine.publishEvent("t", { type: "a", data: 0 });
  while (reads < 20) await nextTurn();
  const { length } = (await store.getTask("t"))!;
  const ahead = await follow({ index: length - 1 });
  while (ahead.events === 0 && reads < 300) await nextTurn();
  assert(first.events > 0);
  assert(reads < 300, "it heard nothing while the log was read by others");
});
