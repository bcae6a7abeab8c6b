import assert from "node:assert/strict";
import { MemoryBroadcastProvider, MemoryShortTermStore } from "@taskcast/core";
import { delayReads, lossyBroadcast } from "@taskcast/core/conformance";
import { TaskcastClient } from "@taskcast/client";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import type { Frame } from "../../testing/sse/sse.ts";
import { frames, until } from "../../testing/sse/sse.ts";
import type { TestServer } from "../../testing/servers/test_server.ts";
import { startServer } from "../../testing/servers/test_server.ts";

// Several servers share a store and a broadcast layer that are as unreliable as allowed. They run in
// one process with the memory adapters, and share no other state.

async function withServers(count: number, use: (servers: TestServer[]) => Promise<void>) {
  const shared = {
    broadcast: lossyBroadcast(new MemoryBroadcastProvider(), { seed: 9 }),
    shortTermStore: delayReads(new MemoryShortTermStore()),
    options: { pollMs: 20 },
  };
  const servers = Array.from({ length: count }, () => startServer({ engine: shared }));
  try {
    await use(servers);
  } finally {
    for (const server of servers) await server[Symbol.asyncDispose]();
  }
}

Deno.test("readers on any instance get everything from producers on any instance", async () => {
  await withServers(3, async (servers) => {
    const { id } = await servers[0]!.engine.createTask();
    const texts = servers.flatMap((server) =>
      [1, 2].map(async () => {
        const stream = new TaskcastClient({ baseUrl: server.url }).stream(id);
        const indexes: number[] = [];
        for await (const { rawIndex } of stream) indexes.push(rawIndex);
        assert.deepEqual(indexes, indexes.toSorted((a, b) => a - b));
        return stream.text("answer");
      })
    );
    const producers = servers.map((server) => new TaskcastServerClient({ baseUrl: server.url }));
    let expected = "";
    for (let i = 0; i < 90; i++) {
      const delta = `${i} `;
      expected += delta;
      await producers[i % 3]!.publishEvent(id, {
        type: "llm.delta",
        data: { delta },
        seriesId: "answer",
        seriesMode: "accumulate",
      });
    }
    await producers[1]!.transitionTask(id, "completed");
    for (const text of texts) assert.equal(await text, expected);
  });
});

Deno.test("the stream of all tasks has those that are created later on another instance", async () => {
  await withServers(2, async ([here, there]) => {
    const seen: Frame[] = [];
    const reading = (async () => {
      for await (const frame of frames(`${here!.url}/events?includeStatus=false`)) {
        seen.push(frame);
        if (seen.length === 20) return;
      }
    })();
    await until(() => here!.engine.stats.streams === 1, "the stream is open");
    await there!.engine.createTask({ id: "later" });
    for (let i = 0; i < 20; i++) await there!.engine.publishEvent("later", { type: "n", data: i });
    await reading;
    assert.deepEqual(seen.map(({ data }) => data.data), Array.from({ length: 20 }, (_, i) => i));
  });
});

Deno.test("of several ends on many instances exactly one succeeds, and a client continues when its instance closes", async () => {
  await withServers(3, async (servers) => {
    const [first, second] = servers as [TestServer, TestServer];
    const { id } = await first.engine.createTask();
    // A client whose connections rotate through the instances, as behind a load balancer.
    let next = 0;
    const client = new TaskcastClient({
      baseUrl: first.url,
      connection: { minDelayMs: 1, maxDelayMs: 5 },
      fetch: (input, init) =>
        fetch(String(input).replace(first.url, servers[next++ % 3]!.url), init),
    });
    const seen: unknown[] = [];
    const following = client.subscribe(id, {
      filter: { types: ["n"] },
      onEvent: ({ data }) => seen.push(data),
      onError: (error, { fatal }) => assert(!fatal, String(error)),
    });
    await first.engine.publishEvent(id, { type: "n", data: 1 });
    await until(() => seen.length === 1, "the first event has come");
    await first.engine.close();
    await second.engine.publishEvent(id, { type: "n", data: 2 });
    const results = await Promise.all(
      Array.from(
        { length: 20 },
        (_, i) => servers[1 + i % 2]!.call("PATCH", `/tasks/${id}/status`, { status: "failed" }),
      ),
    );
    assert.equal(results.filter(({ status }) => status === 200).length, 1);
    await following;
    assert.deepEqual(seen, [1, 2]);
  });
});

Deno.test("the stream of all tasks finds new tasks even if every wake-up is lost, each once", async () => {
  const shared = {
    broadcast: lossyBroadcast(new MemoryBroadcastProvider(), { dropped: 1 }),
    shortTermStore: new MemoryShortTermStore(),
    options: { pollMs: 5 },
  };
  await using here = startServer({ engine: shared });
  await using there = startServer({ engine: shared });
  const seen: string[] = [];
  const reading = (async () => {
    for await (const { data } of frames(`${here.url}/events?includeStatus=false`)) {
      seen.push(`${data.taskId} ${data.data}`);
      if (data.taskId === "last") return;
    }
  })();
  await until(() => here.engine.stats.streams === 1, "the stream is open");
  for (const id of ["a", "b", "c"]) {
    await there.engine.createTask({ id });
    for (const data of [1, 2]) await there.engine.publishEvent(id, { type: "n", data });
    await there.engine.transitionTask(id, "completed");
    await until(() => seen.includes(`${id} 2`), `${id} has come`);
  }
  // Enough polls to forget ended tasks, if that is allowed.
  let polls = 0;
  const count = setInterval(() => polls++, 5);
  await until(() => polls > 40, "many polls have passed");
  clearInterval(count);
  await there.engine.createTask({ id: "last" });
  await there.engine.publishEvent("last", { type: "n", data: 0 });
  await reading;
  assert.deepEqual(seen.toSorted(), ["a 1", "a 2", "b 1", "b 2", "c 1", "c 2", "last 0"]);
});
