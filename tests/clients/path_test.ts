import assert from "node:assert/strict";
import { TaskcastClient } from "@taskcast/client";
import { TaskcastHttpError, UnreachableError } from "@taskcast/client/http";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import { startAnyServer } from "../../testing/servers/any_server.ts";
import { freePort } from "../../testing/network/free_port.ts";
import type { ScriptedServer } from "../../testing/servers/scripted_server.ts";
import {
  doneFrame,
  eventFrame,
  scriptedServer,
  sse,
} from "../../testing/servers/scripted_server.ts";
import { until } from "../../testing/sse/sse.ts";

// Answers of intermediaries between a client and its server, or in place of a server.

const quick = { minDelayMs: 1, maxDelayMs: 4, random: () => 0.999 };

type Answer = Parameters<typeof scriptedServer>[0];

const page = (status: number, headers: Record<string, string> = {}): Answer => () =>
  new Response("<html>not yours</html>", {
    status,
    headers: { "content-type": "text/html", ...headers },
  });

/** Answers of intermediaries in front of a server. */
const FOREIGN: [what: string, answer: Answer][] = [
  ["an ingress without a backend", page(404)],
  ["a firewall", page(403)],
  ["a proxy that wants a password", page(401)],
  ["a captive portal", page(511)],
  ["a sign-in page", page(200)],
  [
    "a redirect to a sign-in page",
    (request) =>
      new URL(request.url).pathname === "/sign-in"
        ? new Response("<html>who are you?</html>", { headers: { "content-type": "text/html" } })
        : new Response(null, { status: 302, headers: { location: "/sign-in" } }),
  ],
  ["another service's JSON", () => Response.json({ message: "no route" }, { status: 404 })],
  [
    "a gateway's own error",
    () => Response.json({ error: { code: 403, message: "no" } }, { status: 403 }),
  ],
  ["an empty 400", () => new Response(null, { status: 400 })],
  ["too early", () => new Response(null, { status: 425 })],
];

Deno.test("a reader that has received events survives any answer of an intermediary", async () => {
  for (const [what, foreign] of FOREIGN) {
    // More foreign answers than are tolerated at the first contact, when the address may be wrong.
    const between = Array.from({ length: 8 }, () => foreign);
    await using server = scriptedServer(
      sse(eventFrame("c1", 1)),
      // A redirect takes two requests.
      ...what.startsWith("a redirect") ? between.concat(between) : between,
      sse(eventFrame("c2", 2), doneFrame("c3")),
    );
    const seen: unknown[] = [];
    const reported: boolean[] = [];
    const client = new TaskcastClient({ baseUrl: server.url, connection: quick });
    await client.subscribe("t", {
      onEvent: ({ data }) => seen.push(data),
      onError: (_, { fatal }) => reported.push(fatal),
    });
    assert.deepEqual(seen, [1, 2], what);
    assert.equal(reported.length, 9, what);
    assert(!reported.includes(true), what);
  }
});

Deno.test("EventSource: a reader survives answers of an intermediary to its ticket requests", async () => {
  let connections = 0;
  class Source extends EventTarget {
    readyState = 0;
    constructor() {
      super();
      const say = (event: string, data: object, lastEventId: string) =>
        this.dispatchEvent(
          Object.assign(new Event(event), { data: JSON.stringify(data), lastEventId }),
        );
      queueMicrotask(() => {
        this.dispatchEvent(new Event("open"));
        if (connections++ === 0) say("taskcast.event", { data: 1 }, "c1");
        else say("taskcast.done", { reason: "completed" }, "c2");
        this.dispatchEvent(new Event("error"));
      });
    }
    close() {}
  }
  const ticket = () => Response.json({ ticket: "x", expiresAt: 0 });
  const between = Array.from({ length: 8 }, () => page(403));
  await using server = scriptedServer(ticket, ...between, ticket);
  let reason: string | undefined;
  await new TaskcastClient({
    baseUrl: server.url,
    token: "t",
    transport: "eventsource",
    // deno-lint-ignore no-explicit-any
    EventSource: Source as any,
    connection: quick,
  }).subscribe("t", { onDone: (why) => reason = why, onError: () => {} });
  assert.equal(reason, "completed");
});

Deno.test("the server's own refusal ends a subscription, even with an unknown code", async () => {
  for (
    const [status, code] of [[404, "TASK_NOT_FOUND"], [403, "FORBIDDEN"], [
      410,
      "OF_A_LATER_VERSION",
    ]]
  ) {
    await using server = scriptedServer(
      sse(eventFrame("c1", 1)),
      () => Response.json({ error: { code, message: "no" } }, { status: status as number }),
    );
    const client = new TaskcastClient({ baseUrl: server.url, connection: quick });
    await assert.rejects(client.subscribe("t"), { code, status, isForeign: false });
    assert.equal(server.requests.length, 2);
  }
});

Deno.test("if no server has ever answered, foreign pages become an error after some attempts", async () => {
  await using server = scriptedServer(page(404));
  const client = new TaskcastClient({ baseUrl: server.url, connection: quick });
  const reported: [string, boolean][] = [];
  await client.subscribe("t", {
    onError: (error, { fatal }) => reported.push([`${error}`, fatal]),
  });
  assert.deepEqual(reported.map(([, fatal]) => fatal), [false, false, false, false, false, true]);
  assert.match(
    reported[0]![0],
    /answered 404 to \/tasks\/t\/events with text\/html.*baseUrl is wrong/,
  );
  // An app that serves Taskcast behind its own sign-in answers with a 401.
  await using app = scriptedServer(page(401));
  const outside = new TaskcastClient({ baseUrl: app.url, connection: quick });
  await assert.rejects(outside.subscribe("t"), { status: 401, isForeign: true });
  assert.equal(app.requests.length, 1);
});

/** Returns a server that passes every second request on. */
function everySecond(url: string, foreign: Answer): ScriptedServer {
  let count = 0;
  return scriptedServer(async (request) => {
    const { pathname, search } = new URL(request.url);
    if (pathname === "/sign-in") return await foreign(request);
    const body = request.body === null ? null : await request.arrayBuffer();
    if (count++ % 2 === 0) return await foreign(request);
    const { method, headers } = request;
    return await fetch(url + pathname + search, { method, headers, body });
  });
}

Deno.test("the server SDK does everything once despite answers of an intermediary", async () => {
  await using server = await startAnyServer();
  for (const [what, foreign] of FOREIGN) {
    await using between = everySecond(server.url, foreign);
    const client = new TaskcastServerClient({ baseUrl: between.url, retry: quick });
    const { id } = await client.createTask();
    await client.publishEvent(id, { type: "n", data: 1 });
    const publisher = client.openPublisher(id);
    await publisher.publish({ type: "n", data: 2 });
    await publisher.close();
    assert.equal((await client.transitionTask(id, "completed")).status, "completed", what);
    const events = await Array.fromAsync(client.history(id, { filter: { types: ["n"] } }));
    assert.deepEqual(events.map(({ data }) => data), [1, 2], what);
  }
});

Deno.test("a POST that a redirect turned into a GET is an error that names the reason", async () => {
  await using server = await startAnyServer();
  await using redirecting = scriptedServer((request) =>
    Response.redirect(server.url + new URL(request.url).pathname, 301)
  );
  const client = new TaskcastServerClient({ baseUrl: redirecting.url, retry: quick });
  await assert.rejects(client.createTask(), /set baseUrl to the target of the redirect/);
});

/** Returns the warnings that `during` writes to the console. */
async function warnings(during: () => Promise<unknown>): Promise<string[]> {
  const reported: string[] = [];
  const { warn } = console;
  console.warn = (...words) => reported.push(words.join(" "));
  try {
    await during();
  } finally {
    console.warn = warn;
  }
  return reported;
}

Deno.test("no server: every client reports the address and what to do after a few attempts", async () => {
  const baseUrl = `http://127.0.0.1:${freePort()}`;
  const expected = new RegExp(
    `Cannot reach Taskcast at ${baseUrl} \\(.+\\)\\. .*npx taskcast.*baseUrl`,
  );
  // Waits double from 50 to 100 ms, so a sixth attempt would come after the time for a first contact.
  const mostAttempts = 5;
  const isTold = (error: unknown) => {
    assert(error instanceof UnreachableError);
    assert.match(error.message, expected);
    return true;
  };
  const attempts = new Map<string, number>();
  const counting: typeof fetch = (input, init) => {
    const key = `${init?.method ?? "GET"} ${input}`;
    attempts.set(key, (attempts.get(key) ?? 0) + 1);
    return fetch(input, init);
  };
  const producer = new TaskcastServerClient({ baseUrl, fetch: counting });
  const publisher = producer.openPublisher("t");
  const reader = new TaskcastClient({ baseUrl });
  const stop = new AbortController();
  const { signal } = stop;
  let heard: unknown;
  const onError = (error: unknown) => {
    assert(isTold(error));
    heard ??= error;
  };
  const reported = await warnings(async () => {
    const streams = [
      reader.subscribe("t", { signal, onError }),
      // Without `onError`, the console is warned, once for all of them.
      reader.subscribe("t", { signal }),
      reader.subscribe("u", { signal }),
    ];
    await publisher.publish({ type: "n", data: 1 });
    await Promise.all([
      assert.rejects(producer.createTask(), isTold),
      assert.rejects(publisher.close(), isTold),
      assert.rejects(reader.getTask("t"), isTold),
      until(() => heard !== undefined, "onError hears of it"),
    ]);
    assert.equal(attempts.size, 2);
    for (const [key, count] of attempts) {
      assert(count > 1 && count <= mostAttempts, `${key} ${count}`);
    }
    stop.abort();
    await Promise.all(streams);
  });
  assert.equal(reported.length, 1, reported.join("\n"));
  assert.match(reported[0]!, expected);
});

Deno.test("a rare disconnect causes no warning; an unreachable server does", async () => {
  const cut = sse(eventFrame("c1", 1));
  await using server = scriptedServer(cut, sse(eventFrame("c2", 2)), sse(doneFrame("c3")));
  const client = new TaskcastClient({ baseUrl: server.url, connection: quick });
  assert.deepEqual(await warnings(() => client.subscribe("t")), []);
  const away = page(503);
  await using gone = scriptedServer(cut, away, away, away, sse(doneFrame("c3")));
  const other = new TaskcastClient({ baseUrl: gone.url, connection: quick });
  const reported = await warnings(() => other.subscribe("t"));
  assert.equal(reported.length, 1);
  assert.match(reported[0]!, /answered 503/);
});

Deno.test("a server that has answered before is retried in full, and so is any configured number of attempts", async () => {
  let failuresLeft = 0;
  let requests = 0;
  const options = {
    baseUrl: "http://taskcast.test",
    retry: { minDelayMs: 500, maxDelayMs: 500, random: () => 0 },
    fetch: (): Promise<Response> => {
      requests++;
      if (failuresLeft-- > 0) return Promise.reject(new TypeError("refused"));
      return Promise.resolve(Response.json({ tasks: [] }));
    },
  };
  const client = new TaskcastServerClient(options);
  await client.listTasks();
  failuresLeft = 4; // For a second in total.
  await client.listTasks();

  failuresLeft = Infinity;
  requests = 0;
  const retry = { ...quick, attempts: 4 };
  await assert.rejects(new TaskcastServerClient({ ...options, retry }).listTasks(), /refused/);
  assert.equal(requests, 4);
});

Deno.test("an address with credentials, a query or a fragment is refused and never shown", () => {
  const wrong: [baseUrl: string, message: RegExp][] = [
    ["https://me:hush@example.com", /no user name and no password/],
    ["https://hush@example.com", /no user name and no password/],
    ["https://me:hush@exa mple", /is not a valid URL$/],
    ["https://me:hush@example.com:99999", /is not a valid URL$/],
    ["https://example.com/?key=hush", /no query/],
    ["https://example.com?", /no query/],
    ["https://example.com/#hush", /no fragment/],
    ["https://example.com/100%/hush", /is not a valid URL$/],
    ["redis://me:hush@example.com", /must begin with http/],
  ];
  for (const [baseUrl, message] of wrong) {
    for (const Client of [TaskcastClient, TaskcastServerClient]) {
      assert.throws(() => new Client({ baseUrl }), (error) => {
        assert(error instanceof TypeError);
        assert.match(error.message, message);
        assert(!Deno.inspect(error).split("\n")[0]!.includes("hush"), "no secret is shown");
        assert.equal(error.cause, undefined);
        return true;
      });
    }
  }
});

Deno.test("the path of an address is kept, with or without trailing slashes", async () => {
  for (const path of ["/a%20b/tasks%2Fcast", "/a b/tasks%2Fcast/", "/ü//"]) {
    await using server = scriptedServer(() => Response.json({ id: "t:1" }));
    await new TaskcastClient({ baseUrl: server.url + path }).getTask("t:1");
    const { pathname } = new URL(server.requests[0]!.url);
    const expected = path.startsWith("/a") ? "/a%20b/tasks%2Fcast" : "/%C3%BC";
    assert.equal(pathname, `${expected}/tasks/t%3A1`);
  }
});

Deno.test("errors of answers are typed, and say whether the server gave them", async () => {
  await using server = scriptedServer(page(501), () => Response.json({}, { status: 505 }));
  const client = new TaskcastClient({ baseUrl: server.url });
  for (const status of [501, 505]) {
    await assert.rejects(
      client.getTask("t"),
      (error) => error instanceof TaskcastHttpError && error.status === status && error.isForeign,
    );
  }
});
