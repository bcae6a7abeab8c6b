import assert from "node:assert/strict";
import { MemoryBroadcastProvider, MemoryShortTermStore } from "@taskcast/core";
import { delayReads, lossyBroadcast } from "@taskcast/core/conformance";
import type { Frame } from "../../testing/sse/sse.ts";
import { frames, until } from "../../testing/sse/sse.ts";
import { startAnyServer } from "../../testing/servers/any_server.ts";
import type { AnyServer } from "../../testing/servers/any_server.ts";
import { startServer } from "../../testing/servers/test_server.ts";

/** Reads the stream of all tasks until `enough` accepts what has arrived. */
async function readAll(
  server: AnyServer,
  query: string,
  enough: (seen: Frame[]) => boolean,
): Promise<Frame[]> {
  const seen: Frame[] = [];
  for await (const frame of frames(`${server.url}/events${query}`)) {
    seen.push(frame);
    if (enough(seen)) break;
  }
  return seen;
}

function connected(server: AnyServer, streams: number): Promise<void> {
  return until(async () => (await server.reading()).streams === streams, "the streams are open");
}

const ended = (count: number) => (seen: Frame[]) =>
  seen.filter(({ data }) => data.data?.status === "completed").length === count;

Deno.test("the stream of all tasks starts now and has every event of every task once, in order", async () => {
  await using server = await startAnyServer();
  const { engine } = server;
  await engine.createTask({ id: "before" });
  await engine.publishEvent("before", { type: "old", data: "not replayed" });
  const reading = readAll(server, "", ended(4));
  await connected(server, 1);
  const ids = ["before", "a", "b", "c"];
  for (const id of ids.slice(1)) await engine.createTask({ id });
  await Promise.all(ids.map(async (id) => {
    for (let i = 0; i < 50; i++) await engine.publishEvent(id, { type: "n", data: i });
    await engine.transitionTask(id, "completed");
  }));
  const seen = await reading;
  for (const id of ids) {
    const own = seen.filter(({ data }) => data.taskId === id);
    const first = id === "before" ? 1 : 0;
    assert.deepEqual(
      own.map(({ data }) => data.rawIndex),
      Array.from({ length: 51 }, (_, i) => first + i),
      id,
    );
  }
  assert.equal(seen.length, 4 * 51);
  assert(seen.every(({ event }) => event === "taskcast.event"));
});

Deno.test("taskTypes, taskIds, types and levels narrow the stream of all tasks", async () => {
  await using server = await startAnyServer();
  const { engine } = server;
  const enough = (seen: Frame[]) => seen.at(-1)?.data.type === "last";
  const reads = [
    "?taskTypes=llm.*",
    "?taskIds=build,none",
    "?types=a.*,last",
    "?levels=error&includeStatus=false",
    "?taskTypes=llm.*&types=last",
  ].map((query) => readAll(server, query, enough));
  await connected(server, reads.length);
  await engine.createTask({ id: "chat", type: "llm.chat" });
  await engine.createTask({ id: "build", type: "ci.build" });
  for (const id of ["chat", "build"]) {
    await engine.publishEvent(id, { type: "a.x", data: 1 });
    await engine.transitionTask(id, "running");
    await engine.publishEvent(id, { type: "last", data: 2, level: "error" });
  }
  const seen = (await Promise.all(reads)).map((read) =>
    read.map(({ data }) => `${data.taskId} ${data.type}`)
  );
  assert.deepEqual(seen, [
    ["chat a.x", "chat taskcast:status", "chat last"],
    ["build a.x", "build taskcast:status", "build last"],
    ["chat a.x", "chat last"],
    ["chat last"],
    ["chat last"],
  ]);
});

Deno.test("a task that is deleted and created again continues in the stream of all tasks", async () => {
  await using server = await startAnyServer();
  const { engine } = server;
  const lives: unknown[] = [];
  const reading = readAll(server, "?includeStatus=false", (seen) => {
    const { data } = seen.at(-1)!;
    return lives.push([data.data, data.rawIndex]) === 4;
  });
  await connected(server, 1);
  for (const life of [1, 2]) {
    await engine.createTask({ id: "t" });
    await engine.publishEvent("t", { type: "life", data: life });
    await engine.publishEvent("t", { type: "life", data: life });
    // Events of deleted tasks are not delivered, so they must have arrived before.
    await until(() => lives.length === 2 * life, "both events have come");
    if (life === 1) await engine.deleteTask("t");
  }
  await reading;
  assert.deepEqual(lives, [[1, 0], [1, 1], [2, 0], [2, 1]]);
});

Deno.test("dropped and repeated wake-ups lose and repeat nothing in the stream of all tasks", async () => {
  await using server = startServer({
    engine: {
      broadcast: lossyBroadcast(new MemoryBroadcastProvider(), { seed: 5 }),
      shortTermStore: delayReads(new MemoryShortTermStore()),
      options: { pollMs: 20 },
    },
  });
  const { engine } = server;
  const ids = Array.from({ length: 10 }, (_, i) => `t${i}`);
  const reading = readAll(server, "", ended(ids.length));
  await connected(server, 1);
  await Promise.all(ids.map(async (id) => {
    await engine.createTask({ id });
    for (let i = 0; i < 30; i++) await engine.publishEvent(id, { type: "n", data: i });
    await engine.transitionTask(id, "completed");
  }));
  const seen = await reading;
  for (const id of ids) {
    assert.deepEqual(
      seen.filter(({ data }) => data.taskId === id).map(({ data }) => data.rawIndex),
      Array.from({ length: 31 }, (_, i) => i),
      id,
    );
  }
});
