import assert from "node:assert/strict";
import {
  MemoryBroadcastProvider,
  MemoryLongTermStore,
  MemoryShortTermStore,
  TaskEngine,
} from "@taskcast/core";
import { createTaskcastApp } from "@taskcast/server";
import { fakeClock } from "../../testing/fake_clock.ts";
import { allFrames } from "../../testing/sse/sse.ts";
import { startAnyServer } from "../../testing/servers/any_server.ts";
import { startServer } from "../../testing/servers/test_server.ts";

Deno.test("lists are paged, newest first, and filtered", async () => {
  await using server = await startAnyServer();
  const ids: string[] = [];
  for (let i = 0; i < 23; i++) {
    const { body } = await server.call("POST", "/tasks", {
      type: i % 2 === 0 ? "llm.chat" : "build",
      tags: i % 3 === 0 ? ["three"] : [],
      priority: i % 4 === 0 ? 7 : undefined,
    });
    ids.unshift(body.id);
  }
  const list = async (query: string) => {
    const found: string[] = [];
    let cursor: string | undefined;
    let pages = 0;
    do {
      const { status, body } = await server.call(
        "GET",
        `/tasks?${query}${cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      assert.equal(status, 200);
      found.push(...body.tasks.map((task: { id: string }) => task.id));
      cursor = body.nextCursor;
      pages++;
    } while (cursor !== undefined);
    return { found: found.toSorted().reverse(), pages };
  };
  const sorted = ids.toSorted().reverse();
  const every = (n: number, of: string[]) =>
    of.toReversed().filter((_, i) => i % n === 0).toSorted().reverse();
  assert.deepEqual(await list("limit=5"), { found: sorted, pages: 5 });
  assert.deepEqual((await list("limit=4&type=llm.*")).found, every(2, ids));
  assert.deepEqual((await list("tag=three")).found, every(3, ids));
  assert.deepEqual((await list("limit=4&priority=7")).found, every(4, ids));
  assert.equal((await list("priority=0")).found.length, ids.length - every(4, ids).length);
  assert.equal((await server.call("GET", `/tasks/${every(4, ids)[0]}`)).body.priority, 7);
  await server.engine.transitionTask(ids[3]!, "cancelled");
  assert.deepEqual((await list("status=cancelled,failed")).found, [ids[3]]);
  assert.equal((await server.call("GET", "/tasks?limit=501")).status, 400);
  assert.equal(
    (await server.call("GET", "/tasks?cursor=nonsense")).body.error.code,
    "INVALID_CURSOR",
  );
});

Deno.test("history: filters, since, limit, formats and pages work", async () => {
  await using server = await startAnyServer();
  const { engine } = server;
  await engine.createTask({ id: "t" });
  await engine.publishEvents(
    "t",
    Array.from({ length: 10 }, (_, i) => ({
      type: i % 2 === 0 ? "llm.delta" : "note",
      data: i % 2 === 0 ? { delta: `${i}` } : i,
      ...(i % 2 === 0 ? { seriesId: "s", seriesMode: "accumulate" as const } : {}),
    })),
  );
  const history = async (query = "") => {
    const { body, headers } = await server.call("GET", `/tasks/t/events/history${query}`);
    // RFC 8288
    const next = /^<([^>]+)>; rel="next"$/.exec(headers.get("link") ?? "")?.[1];
    return { events: body, next };
  };
  assert.equal((await history()).events.length, 10);
  assert.deepEqual(
    (await history("?types=note")).events.map((e: { data: unknown }) => e.data),
    [1, 3, 5, 7, 9],
  );
  const folded = await history("?seriesFormat=accumulated");
  const series = folded.events.filter((e: { seriesId?: string }) => e.seriesId !== undefined);
  assert.deepEqual(series.map((e: { data: unknown }) => e.data), [{ delta: "02468" }]);

  const found: number[] = [];
  let query: string | undefined = "?limit=3";
  for (let page = 0; query !== undefined; page++) {
    assert(page < 20);
    const { events, next } = await history(query);
    found.push(...events.map((e: { index: number }) => e.index));
    query = next && new URL(next, `${server.url}/tasks/t/events/history`).search;
  }
  assert.deepEqual(found, Array.from({ length: 10 }, (_, i) => i));
});

Deno.test("cors: only pages of allowed origins can read answers and streams", async () => {
  const origin = "https://app.example";
  await using open = await startAnyServer({
    app: { cors: { origin: [origin], credentials: true } },
  });
  await open.engine.createTask({ id: "t" });
  const preflight = await fetch(`${open.url}/tasks/t/status`, {
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": "PATCH",
      "access-control-request-headers": "authorization,content-type,last-event-id",
    },
  });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get("access-control-allow-origin"), origin);
  assert.match(preflight.headers.get("access-control-allow-methods")!, /PATCH/);
  assert.match(preflight.headers.get("access-control-allow-headers")!, /last-event-id/);
  for (const path of ["/tasks/t", "/tasks/none"]) {
    const { headers } = await open.call("GET", path, undefined, { origin });
    assert.equal(headers.get("access-control-allow-origin"), origin, "errors can be read too");
  }
  const stream = await fetch(`${open.url}/tasks/t/events`, { headers: { origin } });
  assert.equal(stream.headers.get("access-control-allow-origin"), origin);
  await stream.body!.cancel();
  const other = await open.call("GET", "/tasks/t", undefined, { origin: "https://evil.example" });
  assert.equal(other.headers.get("access-control-allow-origin"), null);

  await using closed = await startAnyServer();
  const { headers } = await closed.call("GET", "/health", undefined, { origin });
  assert.equal(headers.get("access-control-allow-origin"), null);
});

Deno.test("a stream has the headers that proxies and browsers need", async () => {
  await using server = startServer();
  await server.engine.createTask({ id: "t" });
  const response = await fetch(`${server.url}/tasks/t/events`);
  assert.equal(response.headers.get("content-type"), "text/event-stream; charset=utf-8");
  assert.equal(response.headers.get("cache-control"), "no-store, no-transform");
  assert.equal(response.headers.get("x-accel-buffering"), "no");
  assert.equal(response.headers.get("content-encoding"), null);
  const { value } = await response.body!.getReader().read();
  assert.match(new TextDecoder().decode(value), /^retry: 1000\nevent: taskcast.open\ndata: \{/);
  await server.engine.close();
});

Deno.test("heartbeats are sent on an idle stream, with the newest cursor", async () => {
  const clock = fakeClock();
  await using engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
    clock,
  });
  const app = createTaskcastApp({ engine });
  await engine.createTask({ id: "t" });
  const response = await app.request("/tasks/t/events?types=rare");
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  const next = async () => (await reader.read()).value!;
  assert.match(await next(), /taskcast\.open/);
  // None of these match, but the reader's cursor still moves.
  for (let i = 0; i < 500; i++) await engine.publishEvent("t", { type: "often", data: i });
  const beat = next();
  await clock.pass(5_000);
  const text = await beat;
  assert.match(text, /^: heartbeat\nid: [a-z0-9-]+\n\n$/);
  const again = next();
  await clock.pass(5_000);
  assert.match(await again, /^: heartbeat\n/);
  await reader.cancel();

  const cursor = /id: (\S+)/.exec(text)![1]!;
  await engine.publishEvent("t", { type: "rare", data: "found" });
  await engine.transitionTask("t", "completed");
  const resumed = await app.request("/tasks/t/events?types=rare", {
    headers: { "last-event-id": cursor },
  });
  const rest = await resumed.text();
  assert.match(rest, /"resume":"exact"/);
  assert.equal(rest.match(/event: taskcast\.event/g)?.length, 1);
  assert.match(rest, /"found"/);
});

Deno.test("a closing server ends its streams without the task's end, and refuses new work", async () => {
  await using server = startServer();
  await server.engine.createTask({ id: "t" });
  await server.engine.publishEvent("t", { type: "a", data: 1 });
  const reading = allFrames(`${server.url}/tasks/t/events`);
  while (server.engine.stats.streams === 0) await new Promise((r) => setTimeout(r, 1));
  await server.engine.close();
  const seen = await reading;
  assert.deepEqual(seen.map(({ event }) => event), ["taskcast.open", "taskcast.event"]);
  const refused = await server.call("POST", "/tasks", {});
  assert.equal(refused.status, 503);
  assert.equal(refused.body.error.code, "ENGINE_CLOSED");
  assert(Number(refused.headers.get("retry-after")) >= 1);
  const ready = await server.call("GET", "/health/ready");
  assert.deepEqual([ready.status, ready.body.status], [503, "closing"]);
  assert.equal((await server.call("GET", "/health")).status, 200);
});

Deno.test("readiness names unreachable dependencies, and fails only for needed ones", async () => {
  const away = <Store extends object>(store: Store): Store =>
    new Proxy(store, {
      get: (target, name) =>
        name === "check"
          ? () => Promise.reject(new Error("connect ECONNREFUSED redis://user:secret@host"))
          : Reflect.get(target, name, target),
    });
  const cases = [
    [{ longTermStore: away(new MemoryLongTermStore()) }, 200, "degraded", "longTermStore"],
    [{ broadcast: away(new MemoryBroadcastProvider()) }, 200, "degraded", "broadcast"],
    [{ shortTermStore: away(new MemoryShortTermStore()) }, 503, "unavailable", "shortTermStore"],
  ] as const;
  for (const [engine, status, word, name] of cases) {
    await using server = startServer({ engine });
    const ready = await server.call("GET", "/health/ready");
    assert.deepEqual([ready.status, ready.body.status], [status, word]);
    assert.equal(ready.body.dependencies[name].ok, false);
    const { body: detail } = await server.call("GET", "/health/detail");
    assert.deepEqual([detail.ok, detail.adapters[name]], [status === 200, { status: "error" }]);
    assert(!JSON.stringify(ready.body).includes("secret"));
  }
});

Deno.test("readiness is degraded, with 200, while a part of a needed dependency is away", async () => {
  const shortTermStore = new MemoryShortTermStore();
  const message = "1 of 3 shards cannot be reached";
  shortTermStore.check = () => Promise.resolve({ status: "degraded", message } as never);
  await using server = startServer({ engine: { shortTermStore } });
  const ready = await server.call("GET", "/health/ready");
  assert.deepEqual([ready.status, ready.body.status], [200, "degraded"]);
  assert.deepEqual(ready.body.dependencies.shortTermStore, {
    ok: true,
    degraded: message,
    required: true,
  });
  const { body: detail } = await server.call("GET", "/health/detail");
  assert.deepEqual([detail.ok, detail.adapters.shortTermStore], [true, { status: "degraded" }]);
});

Deno.test("health and metrics report the state of the engine", async () => {
  await using server = startServer();
  await server.call("POST", "/tasks", { id: "t" });
  await server.call("POST", "/tasks/t/events", { type: "a", data: 1 });
  await server.call("PATCH", "/tasks/t/status", { status: "completed" });
  const ready = await server.call("GET", "/health/ready");
  assert.deepEqual(ready.body, {
    status: "ready",
    dependencies: {
      broadcast: { ok: true, required: false },
      shortTermStore: { ok: true, required: true },
    },
  });
  const { counters, uptime, ...detail } = (await server.call("GET", "/health/detail")).body;
  assert(Number.isInteger(uptime) && uptime >= 0 && uptime < 60, `${uptime} seconds`);
  assert.deepEqual([detail.ok, detail.auth, detail.adapters], [true, { mode: "none" }, {
    broadcast: { status: "ok" },
    shortTermStore: { status: "ok" },
  }]);
  assert.equal(counters.tasksCreated, 1);
  assert.equal(counters.tasksEnded, 1);
  assert.equal(counters.eventsStored, 2);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  assert.match(metrics, /^taskcast_events_stored_total 2$/m);
  assert.match(metrics, /^taskcast_tasks_created_total 1$/m);
});
