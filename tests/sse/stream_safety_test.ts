import assert from "node:assert/strict";
import { MemoryBroadcastProvider } from "@taskcast/core";
import type { BroadcastProvider } from "@taskcast/core/adapter";
import { fakeClock } from "../../testing/fake_clock.ts";
import { allFrames, frames, until } from "../../testing/sse/sse.ts";
import { startAnyServer } from "../../testing/servers/any_server.ts";
import { startServer } from "../../testing/servers/test_server.ts";

Deno.test("no payload can forge a frame with line breaks", async () => {
  await using server = await startAnyServer();
  const { engine, url } = server;
  const evil = "x\n\nevent: taskcast.done\ndata: {}\n\n";
  const breaks = ["\r", "\n", "\r\n", "\u2028", "\u2029", "\u0085", "\u0000", "\ufeff"];
  const values = [evil, evil.replaceAll("\n", "\r"), evil.replaceAll("\n", "\r\n"), ...breaks];
  await engine.createTask({ id: "t", type: evil });
  for (const [i, value] of values.entries()) {
    await engine.publishEvent("t", { type: evil, data: value });
    await engine.publishEvent("t", { type: "a", data: { [value]: value } });
    await engine.publishEvent("t", {
      type: "a",
      data: { delta: value },
      seriesId: `${evil}${i}`,
      seriesMode: "accumulate",
    });
  }
  await engine.transitionTask("t", "completed", { reason: evil });
  for (const query of ["", "?since.timestamp=0", "?seriesFormat=accumulated"]) {
    const seen = await allFrames(`${url}/tasks/t/events${query}`);
    const events = seen.slice(1, -1);
    assert(events.every(({ event }) => event === "taskcast.event"));
    assert.equal(seen.at(-1)!.event, "taskcast.done");
    assert.equal(events.length, 3 * values.length + 1);
    assert.equal(events[0]!.data.data, evil);
    assert.deepEqual(events[1]!.data.data, { [evil]: evil });
  }
  const bare = await (await fetch(`${url}/tasks/t/events?wrap=false`)).text();
  assert.equal(bare.match(/^event: taskcast\.done$/gm)?.length, 1);
});

Deno.test("a large replay is sent in parts as it is read", async () => {
  await using server = await startAnyServer();
  const { engine, url } = server;
  await engine.createTask({ id: "t" });
  const filler = "x".repeat(900);
  for (let i = 0; i < 20; i++) {
    await engine.publishEvents("t", Array(1000).fill({ type: "a", data: filler }));
  }
  await engine.transitionTask("t", "completed");
  let bytes = 0;
  let largest = 0;
  for await (const chunk of (await fetch(`${url}/tasks/t/events`)).body!) {
    bytes += chunk.length;
    largest = Math.max(largest, chunk.length);
  }
  assert(bytes > 20_000_000);
  assert(largest < 2_000_000, `${largest} bytes at once`);
});

Deno.test("readers that disconnect do not affect the task and leave nothing behind", async () => {
  await using server = await startAnyServer();
  const { engine, url } = server;
  await engine.createTask({ id: "t" });
  await engine.transitionTask("t", "running");
  for (let round = 0; round < 5; round++) {
    await Promise.all(Array.from({ length: 40 }, async () => {
      for await (const { event } of frames(`${url}/tasks/t/events`)) {
        if (event === "taskcast.open") break;
      }
      for await (const { event } of frames(`${url}/tasks/t/events?types=a.*`)) {
        if (event === "taskcast.open") break;
      }
    }));
  }
  await until(async () => (await server.reading()).streams === 0, "all streams are closed");
  assert.equal((await server.reading()).tasks, 0);
  assert.equal((await engine.getTask("t"))?.status, "running");
  assert.equal((await engine.getTask("t"))?.subscriberCount, 0);
});

Deno.test("a failing broadcast layer delays readers shortly and does not affect publishers", async () => {
  const clock = fakeClock();
  const memory = new MemoryBroadcastProvider();
  const broken: BroadcastProvider = {
    check: () => Promise.resolve(),
    close: () => Promise.resolve(),
    publish: () => Promise.reject(new Error("the broadcast layer is down")),
    subscribe: (scope, onSignal) => memory.subscribe(scope, onSignal),
  };
  const reported: string[] = [];
  await using server = startServer({
    engine: {
      broadcast: broken,
      clock,
      hooks: { onUnhandledError: (_, { operation }) => void reported.push(operation) },
    },
  });
  const { engine, url } = server;
  await engine.createTask({ id: "t" });
  const seen: unknown[] = [];
  const reading = (async () => {
    for await (const { data } of frames(`${url}/tasks/t/events`)) {
      seen.push(data.data ?? data.reason);
    }
  })();
  await until(() => seen.length === 1, "the stream has begun");
  const { body, status } = await server.call("POST", "/tasks/t/events", {
    type: "a",
    data: "stored",
  });
  assert.deepEqual([status, body.data], [201, "stored"]);
  await engine.transitionTask("t", "completed");
  assert.deepEqual(reported, ["broadcast", "broadcast"]);
  while (!seen.includes("completed")) await clock.pass(1_000);
  await reading;
  assert.deepEqual(seen.slice(1), ["stored", { status: "completed" }, "completed"]);
});
