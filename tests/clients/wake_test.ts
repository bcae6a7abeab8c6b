import assert from "node:assert/strict";
import { install } from "@sinonjs/fake-timers";
import { TaskcastClient } from "@taskcast/client";
import type { Wake } from "../../clients/client/wake.ts";
import { onWake } from "../../clients/client/wake.ts";
import {
  doneFrame,
  eventFrame,
  scriptedServer,
  sse,
} from "../../testing/servers/scripted_server.ts";
import { until } from "../../testing/sse/sse.ts";

// Events of the platform about network, page and machine. Deno's window gets the same events here.

/** The first delay would last for years; the others are short. */
function delayOptions(): { minDelayMs: number; maxDelayMs: number; random: () => number } {
  let waits = 0;
  return { minDelayMs: 2, maxDelayMs: 4, random: () => waits++ === 0 ? 1e12 : 0 };
}

const { locks } = navigator as unknown as {
  locks: { query(): Promise<{ held: unknown[]; pending: unknown[] }> };
};

const away = () => new Response("", { status: 502 });

/** Returns a stream that stays open until its reader disconnects. */
function open(text: string): () => Response {
  return () => {
    const start = (controller: ReadableStreamDefaultController<Uint8Array>) =>
      controller.enqueue(new TextEncoder().encode(text));
    const body = new ReadableStream<Uint8Array>({ start });
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  };
}

Deno.test("a wait is shortened when the network is back, or the page is visible again", async () => {
  for (const event of ["online", "visibilitychange"]) {
    await using server = scriptedServer(away, sse(doneFrame("c1")));
    const client = new TaskcastClient({ baseUrl: server.url, connection: delayOptions() });
    let waits = 0;
    const following = client.subscribe("t", { onError: () => waits++ });
    await until(() => waits === 1, "it waits");
    dispatchEvent(new Event("focus")); // Ignored.
    assert.equal(server.requests.length, 1);
    // The delay begins after the callback.
    await until(() => {
      dispatchEvent(new Event(event));
      return server.requests.length === 2;
    }, event);
    await following;
  }
});

Deno.test("a wait that the server requested is not shortened", async () => {
  const busy = () => new Response("", { status: 503, headers: { "retry-after": "0.2" } });
  await using server = scriptedServer(busy, sse(doneFrame("c1")));
  const connection = { minDelayMs: 1, maxDelayMs: 1 };
  const client = new TaskcastClient({ baseUrl: server.url, connection });
  let fromMs = 0;
  const wake = setInterval(() => dispatchEvent(new Event("online")), 5);
  await client.subscribe("t", { onError: () => fromMs = performance.now() });
  clearInterval(wake);
  assert(performance.now() - fromMs >= 195, "the full delay");
});

Deno.test("a connection from before a network change is replaced, from its cursor, without an error", async () => {
  await using server = scriptedServer(open(eventFrame("c1", 1)), sse(doneFrame("c2")));
  const client = new TaskcastClient({ baseUrl: server.url });
  const seen: unknown[] = [];
  const following = client.subscribe("t", {
    onEvent: ({ data }) => void seen.push(data),
    onError: (error) => assert.fail(String(error)),
  });
  await until(() => seen.length === 1, "it reads");
  dispatchEvent(new Event("visibilitychange"));
  assert.equal(server.requests.length, 1, "a visible page does not reconnect");
  dispatchEvent(new Event("online"));
  await following;
  assert.equal(server.requests[1]!.headers.get("last-event-id"), "c1");
});

Deno.test("a gap between ticks counts as sleep; the slow timers of a hidden page do not", () => {
  const time = install({ toFake: ["setInterval", "clearInterval", "Date"] });
  try {
    const received: Wake[] = [];
    const forget = [onWake((wake) => received.push(wake)), onWake(() => {})];
    time.tick(600_000);
    time.setSystemTime(Date.now() + 60_000);
    time.tick(5_000);
    assert.deepEqual(received, []);
    time.setSystemTime(Date.now() + 600_000);
    time.tick(5_000);
    assert.deepEqual(received, ["awake"]);
    for (const each of forget) each();
    assert.equal(time.countTimers(), 0, "no timer runs without a wait");
  } finally {
    time.uninstall();
  }
});

Deno.test("a page that is left closes its connections, and continues when it is shown again", async () => {
  const page = globalThis as { document?: object };
  page.document = { hidden: false };
  try {
    for (const share of [false, true]) {
      const frames = [eventFrame("c1", 1), eventFrame("c2", 2)];
      await using server = scriptedServer(open(frames[0]!), sse(frames[1]!, doneFrame("c3")));
      const client = new TaskcastClient({ baseUrl: server.url, share });
      const seen: unknown[] = [];
      const following = client.subscribe("t", {
        onEvent: ({ data }) => void seen.push(data),
        onError: (error) => assert.fail(String(error)),
      });
      await until(() => seen.length === 1, "it reads");
      dispatchEvent(new Event("pagehide"));
      await until(async () => {
        const { held, pending } = await locks.query();
        return held.length + pending.length === 0;
      }, "no lock is held or waited for");
      assert.equal(server.requests.length, 1);
      dispatchEvent(new Event("pageshow"));
      await following;
      assert.deepEqual(seen, [1, 2]);
      assert.equal(server.requests[1]!.headers.get("last-event-id"), "c1");

      // An abort while the page is away ends it.
      const stop = new AbortController();
      await using other = scriptedServer(open(frames[0]!));
      const second = new TaskcastClient({ baseUrl: other.url, share });
      let events = 0;
      const hidden = second.subscribe("t", { signal: stop.signal, onEvent: () => void events++ });
      await until(() => events === 1, "it reads");
      dispatchEvent(new Event("pagehide"));
      stop.abort();
      await hidden;
    }
  } finally {
    delete page.document;
  }
});
