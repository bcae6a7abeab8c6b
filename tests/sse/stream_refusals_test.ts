import assert from "node:assert/strict";
import { MemoryShortTermStore } from "@taskcast/core";
import { TaskcastError } from "@taskcast/core/protocol";
import type { AnsweredRequest } from "@taskcast/server";
import { EventSource } from "eventsource";
import { until } from "../../testing/sse/sse.ts";
import { startServer } from "../../testing/servers/test_server.ts";

// Any status but 200 closes a browser's EventSource for good.

const BROWSER = { accept: "text/event-stream" };
const CLIENT = { accept: "text/event-stream, application/json" };

/** A store that can become unavailable. */
class Leaving extends MemoryShortTermStore {
  isAway = false;

  override getTask(...args: Parameters<MemoryShortTermStore["getTask"]>) {
    if (this.isAway) {
      return Promise.reject(new TaskcastError("STORE_UNAVAILABLE", "The store is away"));
    }
    return super.getTask(...args);
  }
}

/** Starts a server that temporarily refuses streams, for each possible reason. */
async function refusing(reason: "store" | "streams" | "rate" | "closing") {
  const shortTermStore = new Leaving();
  const answered: AnsweredRequest[] = [];
  const server = startServer({
    engine: { shortTermStore, hooks: { onUnhandledError() {} } },
    app: {
      onAnswered: (answer) => answered.push(answer),
      ...(reason === "streams" && { maxStreams: 1 }),
      ...(reason === "rate" && {
        rateLimit: { requestsPerSecond: 1, perAddress: { requestsPerSecond: 0.1, burst: 1 } },
        clientAddress: () => "203.0.113.7",
      }),
    },
  });
  await server.engine.createTask({ id: "t" });
  return { server, shortTermStore, answered };
}

Deno.test("a client that accepts only streams gets a 200 with a delay, which is counted as a refusal", async () => {
  const cases = [
    ["closing", 503, "ENGINE_CLOSED", 2000],
    ["streams", 429, "RATE_LIMITED", 5000],
    ["rate", 429, "RATE_LIMITED", 10_000],
    ["store", 503, "STORE_UNAVAILABLE", 2000],
  ] as const;
  for (const [reason, status, code, retryMs] of cases) {
    for (const path of ["/tasks/t/events", "/events"]) {
      if (reason === "store" && path === "/events") continue; // It needs nothing of the store.
      const { server, answered, shortTermStore } = await refusing(reason);
      await using _server = server;
      const open = await fetch(server.url + path);
      if (reason !== "streams") await open.body?.cancel();
      if (reason === "closing") await server.engine.close();
      shortTermStore.isAway = reason === "store";
      answered.length = 0;
      const refused = await fetch(server.url + path, { headers: CLIENT });
      assert.equal(refused.status, status);
      assert(Number(refused.headers.get("retry-after")) >= 1);
      assert.equal((await refused.json()).error.code, code);

      const streamed = await fetch(server.url + path, { headers: BROWSER });
      assert.equal(streamed.status, 200);
      assert.match(streamed.headers.get("content-type")!, /^text\/event-stream/);
      assert.match(streamed.headers.get("cache-control")!, /no-store/);
      assert.match(await streamed.text(), new RegExp(`^retry: ${retryMs}\n: ${code}: [^\n]+\n\n$`));
      assert.deepEqual(answered.map((answer) => answer.status), [status, status]);
      const metrics = await (await fetch(`${server.url}/metrics`)).text();
      const route = path.replace("/t/", "/{id}/");
      assert(
        metrics.includes(`{method="GET",route="${route}",status="${status}"} 2\n`),
        "metrics",
      );
      if (reason === "streams") await open.body?.cancel();
    }
  }
});

Deno.test("a lasting refusal stays a refusal for every client", async () => {
  const { server } = await refusing("closing");
  await using _server = server;
  const status = async (path: string, headers: Record<string, string> = BROWSER) => {
    const answer = await fetch(server.url + path, { headers });
    await answer.body?.cancel();
    return answer.status;
  };
  assert.equal(await status("/tasks/none/events"), 404);
  assert.equal(await status("/tasks/t/events?since.id=zzz"), 400);
  assert.equal(
    await status("/tasks/t/events", { ...BROWSER, "x-taskcast-service-key": "nobody's key" }),
    401,
  );
  await server.engine.close();
  assert.equal(await status("/tasks/t/events", { accept: "*/*" }), 503);
});

Deno.test("EventSource continues when the store is back, instead of closing for good", async () => {
  const { server, shortTermStore } = await refusing("store");
  await using _server = server;
  await server.engine.publishEvent("t", { type: "n", data: 1 });
  shortTermStore.isAway = true;
  let refusals = 0;
  const source = new EventSource(`${server.url}/tasks/t/events`, {
    fetch: async (url, init) => {
      const answer = await fetch(url, init);
      const text = answer.headers.has("x-request-id") && shortTermStore.isAway
        ? await answer.text()
        : undefined;
      if (text === undefined) return answer;
      assert.match(text, /^retry: 2000\n: STORE_UNAVAILABLE: /);
      refusals++;
      return new Response(text.replace("2000", "5"), answer);
    },
  });
  const seen: unknown[] = [];
  source.addEventListener("taskcast.event", ({ data }) => seen.push(JSON.parse(data).data));
  await until(() => refusals > 2, "it was refused and asked again");
  shortTermStore.isAway = false;
  await until(() => seen.length === 1, "it has the event");
  source.close();
  assert.deepEqual(seen, [1]);
});
