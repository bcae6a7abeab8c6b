import assert from "node:assert/strict";
import type { TaskcastClientOptions } from "@taskcast/client";
import { TaskcastClient, TaskcastHttpError, TaskStream } from "@taskcast/client";
import { HttpClient } from "@taskcast/client/http";
import { withDefaults } from "../../clients/client/connection/connection_options.ts";
import { fetchConnect } from "../../clients/client/connection/fetch_connect.ts";
import { followBy } from "../../clients/client/follow.ts";
import { sharedFollow } from "../../clients/client/shared/mod.ts";
import { seededRandom } from "../../core/conformance/seeded_random.ts";
import { cuttingProxy } from "../../testing/network/cutting_proxy.ts";
import { until } from "../../testing/sse/sse.ts";
import type { TestServer } from "../../testing/servers/test_server.ts";
import { startServer } from "../../testing/servers/test_server.ts";

// Each client stands for a tab: the runtime's own locks and channels work within the process.

// Deno cannot send any more when the last channel is closed while another one is opened.
new BroadcastChannel("keeps the others working");

const quick = { minDelayMs: 1, maxDelayMs: 4, random: () => 0.999 };

function tabOf(
  { url }: { url: string },
  options: Partial<TaskcastClientOptions> = {},
): TaskcastClient {
  return new TaskcastClient({ baseUrl: url, connection: quick, share: true, ...options });
}

/** Events that a tab has seen so far. */
interface Seen {
  notes: number[];
  text: string;
  reason?: string;
  opened: number;
  close(): void;
  ended: Promise<void>;
}

function open(
  client: TaskcastClient,
  taskId: string,
  since?: { id: string },
): Seen & { cursor?: string } {
  const controller = new AbortController();
  const seen: Seen & { cursor?: string } = {
    notes: [],
    text: "",
    opened: 0,
    close: () => controller.abort(),
    ended: Promise.resolve(),
  };
  seen.ended = client.subscribe(taskId, {
    signal: controller.signal,
    since,
    onOpen: () => seen.opened++,
    onEvent({ type, data }, view) {
      if (type === "note") seen.notes.push(data as number);
      seen.text = view.text("answer");
      seen.cursor = view.cursor;
    },
    onDone: (reason) => seen.reason = reason,
    onError: (error, { fatal }) => assert(!fatal, String(error)),
  });
  return seen;
}

/** Publishes a note and a delta of the answer. */
async function say({ engine }: TestServer, id: string, i: number): Promise<void> {
  await engine.publishEvents(id, [
    { type: "note", data: i },
    { type: "llm.delta", data: { delta: `${i};` }, seriesId: "answer", seriesMode: "accumulate" },
  ]);
}

const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);
const textOf = (n: number) => upTo(n).map((i) => `${i};`).join("");

async function sees(tab: Seen, n: number): Promise<void> {
  await until(() => tab.notes.length >= n && tab.text === textOf(n), `a tab sees ${n}`);
  assert.deepEqual(tab.notes, upTo(n));
}

async function closeAll(tabs: readonly Seen[]): Promise<void> {
  for (const tab of tabs) tab.close();
  await Promise.all(tabs.map(({ ended }) => ended));
}

/** Counts the opened streams. */
function counting(server: TestServer): { fetch: typeof fetch; readonly streams: number } {
  let streams = 0;
  return {
    get streams() {
      return streams;
    },
    fetch(input, init) {
      if (new URL(String(input)).pathname.endsWith("/events")) streams++;
      assert(String(input).startsWith(server.url));
      return fetch(input, init);
    },
  };
}

Deno.test("share: many tabs have one connection, and late tabs get everything from it", async () => {
  await using server = startServer();
  const { id } = await server.engine.createTask();
  const counted = counting(server);
  const tabs: Seen[] = [];
  let n = 0;
  for (let i = 0; i < 4; i++) {
    tabs.push(open(tabOf(server, { fetch: counted.fetch }), id));
    await say(server, id, n++);
    for (const tab of tabs) await sees(tab, n);
  }
  assert.equal(server.engine.stats.streams, 1);
  assert.equal(counted.streams, 1);
  assert.deepEqual(tabs.map(({ opened }) => opened), [1, 1, 1, 1]);
  await server.engine.transitionTask(id, "completed");
  for (const tab of tabs) {
    await tab.ended;
    assert.equal(tab.reason, "completed");
    assert.deepEqual(tab.notes, upTo(n));
  }
});

Deno.test("share: when the leading tab closes another takes over, and nothing is lost or doubled", async () => {
  await using server = startServer();
  const { id } = await server.engine.createTask();
  const tabs: Seen[] = [];
  for (let i = 0; i < 4; i++) {
    tabs.push(open(tabOf(server), id));
    await until(() => tabs.at(-1)!.opened === 1, "it is served");
  }
  let n = 0;
  while (tabs.length > 0) {
    for (let i = 0; i < 5; i++) await say(server, id, n++);
    for (const tab of tabs) await sees(tab, n);
    await until(() => server.engine.stats.streams === 1, "there is one connection");
    for (let i = 0; i < 5; i++) {
      await say(server, id, n++);
      // In the middle of messages that are on their way.
      if (i === 2) await Promise.all(tabs.splice(0, 1).map((tab) => (tab.close(), tab.ended)));
    }
    for (const tab of tabs) await sees(tab, n);
  }
  await until(() => server.engine.stats.streams === 0, "the last one closes it");
});

Deno.test("share: messages that no tab has kept are read once from the server, and then shared", async () => {
  await using server = startServer();
  const { id } = await server.engine.createTask();
  const connection = { ...quick, maxBufferedChars: 2_000 };
  const first = counting(server);
  const early = open(tabOf(server, { connection, fetch: first.fetch }), id);
  let n = 0;
  while (n < 100) {
    await say(server, id, n++);
    await sees(early, n);
  }
  const second = counting(server);
  const late = open(tabOf(server, { connection, fetch: second.fetch }), id);
  await sees(late, n);
  await until(() => server.engine.stats.streams === 1, "they share again");
  assert.deepEqual([first.streams, second.streams], [1, 1]);
  for (; n < 110; n++) await say(server, id, n);
  for (const tab of [early, late]) await sees(tab, n);
  assert.deepEqual([first.streams, second.streams], [1, 1]);
  await closeAll([early, late]);
});

Deno.test("share: a tab that returns with a cursor gets what it lacks, from a tab or the server", async () => {
  await using server = startServer();
  const { id } = await server.engine.createTask();
  const tab = open(tabOf(server), id);
  for (let i = 0; i < 10; i++) await say(server, id, i);
  await sees(tab, 10);
  const cursor = tab.cursor!;
  for (let i = 10; i < 20; i++) await say(server, id, i);
  await sees(tab, 20);
  const back = open(tabOf(server), id, { id: cursor });
  await until(() => back.notes.length === 10, "it has what it lacked");
  assert.deepEqual(back.notes, upTo(20).slice(10));
  assert.equal(server.engine.stats.streams, 1);
  tab.close();
  await tab.ended;
  // The new leader began at a later position than this tab needs.
  const before = open(tabOf(server), id);
  await sees(before, 20);
  await until(() => server.engine.stats.streams === 1, "they share again");
  await closeAll([back, before]);
});

Deno.test("share: a leading tab that does not answer is replaced", async () => {
  await using server = startServer();
  const { id } = await server.engine.createTask();
  const { locks } = navigator as unknown as {
    locks: {
      query(): Promise<{ held: { name: string }[] }>;
      request(name: string, use: () => Promise<void>): Promise<void>;
    };
  };
  const namesHeld = async () =>
    (await locks.query()).held.map(({ name }) => name).filter((name) =>
      name.startsWith("taskcast:")
    );
  // A tab of the test before may still be about to release its lock.
  await until(async () => (await namesHeld()).length === 0, "no lock is held");
  const first = open(tabOf(server), id);
  await until(() => first.opened === 1, "it leads");
  const [name, ...others] = await namesHeld();
  assert.deepEqual(others, []);
  first.close();
  await first.ended;
  // A frozen tab holds the lock and does not answer.
  let isHeld = false;
  const frozen = assert.rejects(
    locks.request(name!, () => {
      isHeld = true;
      return new Promise(() => {});
    }),
    { name: "AbortError" },
  );
  await until(() => isHeld, "the frozen tab holds the lock");
  const tabs = [1, 2, 3].map(() =>
    open(tabOf(server, { connection: { ...quick, takeOverMs: 50 } }), id)
  );
  for (let n = 0; n < 5; n++) await say(server, id, n);
  for (const tab of tabs) await sees(tab, 5);
  await frozen;
  await until(() => server.engine.stats.streams === 1, "they share one connection");
  await closeAll(tabs);
});

Deno.test("share: every tab gets everything while connections break and tabs open and close", async () => {
  await using server = startServer();
  const random = seededRandom(5);
  let budget = 600;
  await using proxy = cuttingProxy(server.url, () => (budget += 200) * random());
  const { id } = await server.engine.createTask();
  const tabs: Seen[] = [];
  const connection = { ...quick, maxBufferedChars: 20_000, takeOverMs: 200 };
  const N = 150;
  for (let n = 0; n < N; n++) {
    if (n % 15 === 0) tabs.push(open(tabOf(proxy, { connection }), id));
    if (n % 20 === 19) {
      const [gone] = tabs.splice(Math.floor(random() * tabs.length), 1);
      gone!.close();
      await gone!.ended;
      assert.deepEqual(gone!.notes, upTo(gone!.notes.length), "a closed tab had the right events");
    }
    await say(server, id, n);
    if (n % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await server.engine.transitionTask(id, "completed");
  for (const tab of tabs) {
    await tab.ended;
    assert.equal(tab.reason, "completed");
    assert.deepEqual(tab.notes, upTo(N));
    assert.equal(tab.text, textOf(N));
  }
  assert(proxy.cuts > 3, `${proxy.cuts} cuts`);
});

Deno.test("share: a slow reader delays no other tab, and gets everything", async () => {
  await using server = startServer();
  const { id } = await server.engine.createTask();
  const connection = { ...quick, maxBufferedChars: 3_000 };
  // The leading tab does not read its stream.
  const slow = tabOf(server, { connection }).stream(id, { filter: { types: ["note"] } });
  const iterator = slow[Symbol.asyncIterator]();
  await say(server, id, 0);
  assert.equal((await iterator.next()).value!.data, 0);
  const fast = tabOf(server, { connection });
  const seen: unknown[] = [];
  const following = fast.subscribe(id, {
    filter: { types: ["note"] },
    onEvent: ({ data }) => seen.push(data),
  });
  for (let n = 1; n < 200; n++) await say(server, id, n);
  await server.engine.transitionTask(id, "completed");
  await following;
  assert.deepEqual(seen, upTo(200));
  const late: unknown[] = [0];
  for await (const { data } of { [Symbol.asyncIterator]: () => iterator }) late.push(data);
  assert.deepEqual(late, upTo(200));
});

/** Returns a token without a valid signature. */
function jwt(claims: object): string {
  const part = (value: object) => btoa(JSON.stringify(value)).replaceAll("=", "");
  return `${part({ alg: "none" })}.${part(claims)}.`;
}

Deno.test("share: only with the same caller, task and filter", async () => {
  await using server = startServer();
  const ids = await Promise.all([1, 2].map(async () => (await server.engine.createTask()).id));
  const streams = async (n: number, tabs: Seen[]) => {
    await until(() => tabs.every(({ opened }) => opened > 0), "all are served");
    assert.equal(server.engine.stats.streams, n);
    await closeAll(tabs);
    await until(() => server.engine.stats.streams === 0, "all are closed");
  };
  const [me, renewed, you] = [{ sub: "me", exp: 1 }, { sub: "me", exp: 2 }, { sub: "you" }]
    .map((claims) => tabOf(server, { token: jwt(claims) }));
  const [opaque, other] = ["a", "b"].map((token) => tabOf(server, { token }));
  await streams(1, [open(me!, ids[0]!), open(renewed!, ids[0]!)]);
  await streams(2, [open(me!, ids[0]!), open(you!, ids[0]!)]);
  await streams(2, [open(me!, ids[0]!), open(me!, ids[1]!)]);
  await streams(2, [open(opaque!, ids[0]!), open(other!, ids[0]!)]);
  const filtered: Seen = open(me!, ids[0]!);
  const controller = new AbortController();
  let opened = 0;
  const ended = me!.subscribe(ids[0]!, {
    filter: { types: ["note"] },
    signal: controller.signal,
    onOpen: () => opened++,
  });
  await until(() => opened === 1, "it is served");
  await streams(2, [filtered, { ...filtered, opened, close: () => controller.abort() }]);
  await ended;
});

Deno.test("share: a final refusal is reported to every tab", async () => {
  await using server = startServer();
  const refusals = await Promise.allSettled(
    [1, 2, 3].map(() => tabOf(server).subscribe("none")),
  );
  for (const refusal of refusals) {
    assert(refusal.status === "rejected");
    assert(refusal.reason instanceof TaskcastHttpError);
    assert.equal(refusal.reason.code, "TASK_NOT_FOUND");
  }
});

Deno.test("share: without locks or channels each stream has its own connection", async () => {
  await using server = startServer();
  const { id } = await server.engine.createTask();
  await say(server, id, 0);
  const { BroadcastChannel } = globalThis;
  Reflect.deleteProperty(globalThis, "BroadcastChannel");
  try {
    const tabs = [1, 2].map(() => open(tabOf(server), id));
    for (const tab of tabs) await sees(tab, 1);
    assert.equal(server.engine.stats.streams, 2);
    await closeAll(tabs);
  } finally {
    Object.defineProperty(globalThis, "BroadcastChannel", {
      value: BroadcastChannel,
      configurable: true,
      writable: true,
    });
  }
  // In a frame without an origin, locks and channels exist but throw.
  const refusing = {
    BroadcastChannel,
    locks: { request: () => Promise.reject(new DOMException("no origin", "SecurityError")) },
  };
  const http = new HttpClient({ baseUrl: server.url });
  const connection = withDefaults(quick);
  const own = followBy(fetchConnect(http, connection.idleTimeoutMs), connection);
  const stream = new TaskStream(http, id, {}, sharedFollow(http, own, connection, refusing));
  for await (const { data } of stream) {
    assert.equal(data, 0);
    break;
  }
});
