import assert from "node:assert/strict";
import { startAnyServer } from "../../testing/servers/any_server.ts";
import { cuttingFront } from "../../testing/network/cutting_front.ts";
import type { LibraryMessage } from "../../testing/sse/sse_libraries.ts";
import { allFrames } from "../../testing/sse/sse.ts";
import { fetchEventSourceWaitsMs, LIBRARIES } from "../../testing/sse/sse_libraries.ts";

// Published clients of others, over connections that are cut at every byte.

/** Delays of a second and more are for real networks. */
const hurried = (text: string) => text.replaceAll("retry: 1000\n", "retry: 1\n");

/** Runs clients that log every cut to the console. */
async function quietly<T>(run: () => Promise<T>): Promise<T> {
  const { error } = console;
  console.error = () => {};
  try {
    return await run();
  } finally {
    console.error = error;
  }
}

async function endedTask({ engine }: Awaited<ReturnType<typeof startAnyServer>>): Promise<string> {
  const { id } = await engine.createTask({ id: "t" });
  await engine.publishEvent(id, { type: "n", data: "a" });
  await engine.transitionTask(id, "completed");
  return `/tasks/${id}/events?includeStatus=false`;
}

function outcome(messages: readonly LibraryMessage[]): string {
  const received = messages.filter(({ event }) => event !== "taskcast.open")
    .map(({ event, data }) => event === "taskcast.event" ? JSON.parse(data).data : event);
  return received.join(" ");
}

for (const [name, follow] of Object.entries(LIBRARIES)) {
  Deno.test(`${name}: cut at any byte, nothing is lost or doubled`, async () => {
    await using server = await startAnyServer();
    await using front = cuttingFront(server.url, hurried);
    const path = await endedTask(server);
    const bytes = hurried(await (await fetch(server.url + path)).text());
    const wrong: string[] = [];
    const followCut = async (cut: number) => {
      // This client takes an id as soon as its line is complete, before the event, whatever the
      // order. Between that line and the one that ends the frame there is a single byte.
      const isBetween = /\nid: [^\n]+\n$/.test(bytes.slice(0, cut));
      if (name === "@microsoft/fetch-event-source" && isBetween) return;
      const messages: LibraryMessage[] = [];
      const stop = new AbortController();
      let retries = 0;
      await follow(`${front.url}${path}&cut=${cut}`, stop.signal, {
        onMessage(message) {
          messages.push(message);
          if (message.event === "taskcast.done") stop.abort();
        },
        onRetry: () => ++retries > 5 && stop.abort(),
      });
      if (outcome(messages) !== "a taskcast.done") {
        wrong.push(`after ${JSON.stringify(bytes.slice(0, cut).slice(-30))}: ${outcome(messages)}`);
      }
    };
    await quietly(() => Promise.all(Array.from(bytes, (_, cut) => followCut(cut))));
    assert.deepEqual(wrong, []);
  });
}

Deno.test("after the end, a client that ignores 204 reconnects twice a minute", async () => {
  await using server = await startAnyServer();
  await using front = cuttingFront(server.url);
  const path = await endedTask(server);
  const text = await (await fetch(server.url + path)).text();
  const stop = new AbortController();
  let retries = 0;
  fetchEventSourceWaitsMs.length = 0;
  // Its connection breaks at the very end: it takes a clean end for the end of the task.
  await LIBRARIES["@microsoft/fetch-event-source"]!(
    `${front.url}${path}&cut=${text.length - 1}`,
    stop.signal,
    { onMessage() {}, onRetry: () => ++retries > 3 && stop.abort() },
  );
  assert.deepEqual(fetchEventSourceWaitsMs, [30_000, 30_000, 30_000]);
});

Deno.test("a library's cursor on reconnecting overrides the start in the URL", async () => {
  await using server = await startAnyServer();
  const { id } = await server.engine.createTask();
  for (let i = 0; i < 4; i++) await server.engine.publishEvent(id, { type: "n", data: i });
  await server.engine.transitionTask(id, "completed");
  const url = `${server.url}/tasks/${id}/events?includeStatus=false`;
  const ids = (await allFrames(url)).filter(({ event }) => event === "taskcast.event")
    .map((frame) => frame.id!);
  const rest = async (query: string, cursor?: string) =>
    (await allFrames(`${url}&${query}`, cursor))
      .filter(({ event }) => event === "taskcast.event").map(({ data }) => data.data);
  const [first, second, third] = ids;
  assert.deepEqual(await rest(`since.id=${first}`), [1, 2, 3]);
  assert.deepEqual(await rest(`lastEventId=${second}&since.id=${first}`), [2, 3]);
  assert.deepEqual(await rest(`lastEventId=${second}&since.index=0`), [2, 3]);
  assert.deepEqual(await rest(`lastEventId=${second}&since.id=${first}`, third), [3]);
  assert.deepEqual(
    await rest(`lastEventId=&since.id=${first}`),
    [1, 2, 3],
    "an empty cursor counts as none",
  );
  const { status, body } = await server.call("GET", `/tasks/${id}/events?lastEventId=zzz`);
  assert.deepEqual([status, body.error.code], [400, "INVALID_CURSOR"]);
});
