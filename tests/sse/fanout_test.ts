import assert from "node:assert/strict";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import { allFrames, until } from "../../testing/sse/sse.ts";
import { startAnyServer } from "../../testing/servers/any_server.ts";
import { ELSEWHERE } from "../../testing/servers/cli.ts";
import { startServer } from "../../testing/servers/test_server.ts";

/** Returns the index of each event that a reader gets; parsing two million events takes long. */
async function indexesOf(url: string): Promise<number[]> {
  const indexes: number[] = [];
  let text = "";
  for await (const part of (await fetch(url)).body!.pipeThrough(new TextDecoderStream())) {
    text += part;
    const end = text.lastIndexOf("\n\n") + 1;
    for (const [, index] of text.slice(0, end).matchAll(/^data: .*"rawIndex":(\d+)/gm)) {
      indexes.push(Number(index));
    }
    text = text.slice(end);
  }
  return indexes;
}

Deno.test("200 readers that join at random moments get every index once, in order", async () => {
  await using server = await startAnyServer();
  const { id } = await server.engine.createTask();
  const url = `${server.url}/tasks/${id}/events`;
  const publisher = new TaskcastServerClient({ baseUrl: server.url }).openPublisher(id);
  const readers: Promise<number[]>[] = [];
  // Other runtimes only show that it works there; Deno shows the full load.
  const total = ELSEWHERE ? 2_000 : 10_000;
  for (let i = 0; i < total; i++) {
    await publisher.publish({ type: "n", data: i });
    if (i % (total / 200) === 0) {
      readers.push(indexesOf(url));
    }
  }
  await publisher.close();
  await server.engine.transitionTask(id, "completed");
  const expected = Array.from({ length: total + 1 }, (_, i) => i);
  for (const reader of readers) assert.deepEqual(await reader, expected);
  assert.equal((await server.reading()).streams, 0);
  assert.equal((await server.reading()).tasks, 0);
});

Deno.test("a reader that stops reading costs bounded memory and gets everything later", async () => {
  await using server = startServer();
  const { id } = await server.engine.createTask();
  const response = await fetch(`${server.url}/tasks/${id}/events`);
  const reader = response.body!.getReader();
  await reader.read(); // The opening message; nothing is read after it.
  await until(() => server.engine.stats.streams === 1, "the stream is open");

  const filler = "x".repeat(200);
  const batch = Array.from({ length: 1_000 }, () => ({ type: "n", data: filler }));
  const sent = () => server.engine.appendEvents(id, batch);
  await sent();
  // Stored data belongs to the store; growth beyond it is the reader's.
  const before = Deno.memoryUsage().external + Deno.memoryUsage().rss;
  for (let i = 1; i < 100; i++) await sent();
  const grown = Deno.memoryUsage().external + Deno.memoryUsage().rss - before;
  const stored = 100_000 * 600;
  assert(grown < stored + 64 * 1024 * 1024, `grew by ${grown} bytes`);
  await server.engine.transitionTask(id, "completed");

  let text = "";
  let next = 0;
  let ended = false;
  const decoder = new TextDecoder();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
    const end = text.lastIndexOf("\n\n");
    for (const [, index] of text.slice(0, end + 1).matchAll(/"rawIndex":(\d+)/g)) {
      assert.equal(Number(index), next++);
    }
    ended ||= text.includes("event: taskcast.done");
    text = text.slice(end + 1);
  }
  assert.equal(next, 100_001);
  assert(ended);
});

Deno.test("readers with different filters each get what matches", async () => {
  await using server = await startAnyServer();
  const { id } = await server.engine.createTask();
  const url = `${server.url}/tasks/${id}/events`;
  const readers = ["", "?types=a.*", "?types=b.*"].flatMap((query) => [
    allFrames(url + query),
    allFrames(url + query),
  ]);
  await until(async () => (await server.reading()).streams === 6, "all are open");
  await server.engine.publishEvents(id, [
    { type: "a.x", data: 1 },
    { type: "b.x", data: 2 },
    { type: "a.y", data: 3 },
  ]);
  await server.engine.transitionTask(id, "completed");
  const seen = (await Promise.all(readers)).map((all) =>
    all.filter((frame) => frame.event === "taskcast.event").map((frame) => frame.data.type)
  );
  const status = "taskcast:status";
  assert.deepEqual(seen, [
    ["a.x", "b.x", "a.y", status],
    ["a.x", "b.x", "a.y", status],
    ["a.x", "a.y"],
    ["a.x", "a.y"],
    ["b.x"],
    ["b.x"],
  ]);
});
