import assert from "node:assert/strict";
import type { TaskcastClientOptions } from "@taskcast/client";
import { TaskcastClient } from "@taskcast/client";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import { encodeCursor } from "@taskcast/core/protocol";
import { TaskcastChatTransport } from "@taskcast/ai/transport";
import { EventSource } from "eventsource";
import { startAnyServer } from "../../testing/servers/any_server.ts";
import type { ScriptedServer } from "../../testing/servers/scripted_server.ts";
import {
  doneFrame,
  eventFrame,
  scriptedServer,
  sse,
} from "../../testing/servers/scripted_server.ts";

// Foreign answers that look like the server's: successes and refusals of intermediaries, and
// messages that were damaged on the way.

const quick = { minDelayMs: 1, maxDelayMs: 4, random: () => 0.999 };

const incarnation = "abcd1234";
const live = encodeCursor({ kind: "exact", incarnation, index: 0 });
const atEnd = encodeCursor({ kind: "done", incarnation, index: 1 });

type Answer = Parameters<typeof scriptedServer>[0];

/** Gives each request the next answer for its path. */
function byPath(answers: Record<string, Answer[]>): ScriptedServer {
  return scriptedServer((request) => {
    const { pathname } = new URL(request.url);
    const left = answers[pathname]!;
    return (left.length > 1 ? left.shift()! : left[0]!)(request);
  });
}

function readerOf({ url }: ScriptedServer, options: Partial<TaskcastClientOptions> = {}) {
  return new TaskcastClient({ baseUrl: url, connection: quick, ...options });
}

/** Follows a subscription and returns everything it reported. */
async function reportOf(client: TaskcastClient, since?: string) {
  const seen: unknown[] = [];
  const errors: string[] = [];
  let reason: string | undefined;
  await client.subscribe("t", {
    since: since === undefined ? undefined : { id: since },
    onEvent: ({ data }) => seen.push(data),
    onDone: (why) => reason = why,
    onError: (error, { fatal }) => errors.push(`${fatal ? "fatal: " : ""}${error}`),
  });
  return { seen, errors, reason };
}

const none: Answer = () => new Response(null, { status: 204 });
const task = (status: string): Answer => () => Response.json({ id: "t", status, lastIndex: 1 });

/** Successes of intermediaries. */
const SUCCESSES: Record<string, Answer> = {
  "a captive portal": () =>
    new Response("<html>welcome</html>", { headers: { "content-type": "text/html" } }),
  "a proxy's 204": none,
  "another service's object": () => Response.json({ message: "welcome" }),
  "another service's list": () => Response.json(["welcome"]),
  "a list of objects": () => Response.json([{ name: "welcome" }]),
  "another service's null": () => Response.json(null),
  "another service's text": () => Response.json("welcome"),
  "another service's record": () => Response.json({ id: 7, status: "ok", tasks: "none" }),
};

Deno.test("the server SDK does not accept successful answers of intermediaries", async () => {
  await using server = await startAnyServer();
  for (const [what, foreign] of Object.entries(SUCCESSES)) {
    const asked = new Set<string>();
    await using between = scriptedServer(async (request) => {
      const { method, headers } = request;
      const { pathname, search } = new URL(request.url);
      const body = request.body === null ? null : await request.arrayBuffer();
      // The first request of each kind does not reach the server.
      const kind = `${method} ${pathname} ${headers.get("content-type")}`;
      if (asked.size < asked.add(kind).size) return await foreign(request);
      return await fetch(server.url + pathname + search, { method, headers, body });
    });
    const client = new TaskcastServerClient({ baseUrl: between.url, retry: quick });
    const { id } = await client.createTask({ type: "job" });
    assert.equal((await client.getTask(id)).lastIndex, -1, what);
    assert.deepEqual((await client.listTasks({ types: ["job"], limit: 1 })).tasks[0]?.id, id, what);
    assert.equal((await client.publishEvent(id, { type: "n", data: 1 })).index, 0, what);
    const publisher = client.openPublisher(id);
    await publisher.publish({ type: "n", data: 2 });
    assert.equal((await publisher.close()).published, 1, what);
    assert.equal(typeof (await client.createTicket(id)).ticket, "string", what);
    await client.transitionTask(id, "running");
    await client.transitionTask(id, "blocked", { blockedRequest: { type: "approval" } });
    assert.deepEqual(await client.getRequest(id), { type: "approval" }, what);
    assert.equal((await client.resolve(id, { yes: true })).status, "running", what);
    assert.equal((await client.transitionTask(id, "completed")).status, "completed", what);
    const events = await Array.fromAsync(client.history(id, { filter: { types: ["n"] } }));
    assert.deepEqual(events.map(({ data }) => data), [1, 2], what);
    assert.equal(await client.deleteTask(id), "deleted", what);
    const direct = new TaskcastServerClient({ baseUrl: server.url });
    await assert.rejects(direct.getTask(id), { code: "TASK_NOT_FOUND" }, what);
  }
});

Deno.test("the client does not accept successful answers of intermediaries", async () => {
  for (const [what, foreign] of Object.entries(SUCCESSES)) {
    await using server = scriptedServer(foreign);
    const client = readerOf(server);
    await assert.rejects(client.getTask("t"), { isForeign: true }, what);
    if (what !== "another service's list" && what !== "a list of objects") {
      await assert.rejects(Array.fromAsync(client.history("t")), { isForeign: true }, what);
    }
    await using tickets = byPath({
      "/tasks/t/tickets": [foreign, foreign, () => Response.json({ ticket: "x", expiresAt: 0 })],
      "/tasks/t/events": [sse(eventFrame("c1", 1), doneFrame("c2"))],
    });
    const viaTickets = readerOf(tickets, { token: "x", transport: "eventsource", EventSource });
    const { seen, errors } = await reportOf(viaTickets);
    assert.deepEqual(seen, [1], what);
    assert.equal(errors.length, 2, what);
    assert(tickets.requests.every(({ url }) => !url.includes("undefined")), what);
  }
});

for (const transport of ["fetch", "eventsource"] as const) {
  Deno.test(`${transport}: a 204 of an intermediary does not end a running task`, async () => {
    const rest = sse(eventFrame("c2", 2), doneFrame("c3", "failed"));
    const beginnings: [cursor: string, task: Answer][] = [
      ["c1", task("running")],
      ["c1", SUCCESSES["another service's object"]!],
      ["c1", none],
      // The end is known only from its cursor: earlier events may still be missing.
      [live, task("completed")],
    ];
    for (const [cursor, status] of beginnings) {
      await using server = byPath({
        // EventSource does not report the reason of a refusal, and asks twice.
        "/tasks/t/events": [sse(eventFrame(cursor, 1)), none, none, none, none, rest],
        "/tasks/t": [status],
      });
      const { seen, errors, reason } = await reportOf(readerOf(server, { transport, EventSource }));
      assert.deepEqual(seen, [1, 2], cursor);
      assert.equal(reason, "failed");
      assert(errors.length > 2 && errors.every((error) => !error.startsWith("fatal")), `${errors}`);
      assert(errors.some((error) => /answered 20[04]/.test(error)), `${errors}`);
    }
  });

  Deno.test(`${transport}: a 204 to the final cursor ends the stream`, async () => {
    await using server = byPath({
      "/tasks/t/events": [none],
      "/tasks/t": [task("cancelled")],
    });
    const { reason, errors } = await reportOf(readerOf(server, { transport, EventSource }), atEnd);
    assert.equal(reason, "cancelled");
    assert.deepEqual(errors, []);
  });
}

Deno.test("a refusal in our format with an unknown code counts as an outage", async () => {
  const refusal = (status: number, code: string): Answer => () =>
    Response.json({ error: { code, message: "no such backend" } }, { status });
  const foreign: [number, string][] = [
    [404, "SOME_CODE"],
    [404, "NOT_FOUND"],
    [404, "DEPLOYMENT_NOT_FOUND"],
    [403, "ACCESS_DENIED"],
    [401, "PROXY_AUTHENTICATION"],
  ];
  for (const [status, code] of foreign) {
    const answers = Array.from({ length: 8 }, () => refusal(status, code));
    await using server = scriptedServer(
      sse(eventFrame("c1", 1)),
      ...answers,
      sse(eventFrame("c2", 2), doneFrame("c3")),
    );
    const { seen, errors } = await reportOf(readerOf(server));
    assert.deepEqual(seen, [1, 2], code);
    assert.equal(errors.length, 9, code);
    // If nothing else has ever answered, it becomes an error.
    await using nowhere = scriptedServer(refusal(status, code));
    await assert.rejects(readerOf(nowhere).subscribe("t"), { status, isForeign: true });
    assert.equal(nowhere.requests.length, status === 401 ? 1 : 6, code);
  }
});

Deno.test("the server SDK retries after such a refusal, and reports the server's own", async () => {
  const stored = () => Response.json([{ index: 0, type: "n", data: 1 }], { status: 201 });
  const refusal = (code: string): Answer => () =>
    Response.json({ error: { code, message: "no" } }, { status: 404 });
  await using server = scriptedServer(refusal("NOT_FOUND"), refusal("SOME_CODE"), stored);
  const client = new TaskcastServerClient({ baseUrl: server.url, retry: quick });
  assert.equal((await client.publishEvent("t", { type: "n", data: 1 })).index, 0);
  for (const code of ["TASK_NOT_FOUND", "NO_BLOCKED_REQUEST"]) {
    await using refusing = scriptedServer(refusal(code));
    const other = new TaskcastServerClient({ baseUrl: refusing.url, retry: quick });
    await assert.rejects(other.getRequest("t"), { code, isForeign: false });
    assert.equal(refusing.requests.length, 1);
  }
});

/** Frames with damaged data. */
const DAMAGED = {
  "half an event": 'event: taskcast.event\ndata: {"filteredIndex":0,"rawIn\nid: c2\n\n',
  "an event that is nothing": "event: taskcast.event\ndata: null\nid: c2\n\n",
  "an event that is a list": "event: taskcast.event\ndata: []\nid: c2\n\n",
  "half an opening": 'event: taskcast.open\ndata: {"taskId"\n\n',
  "half an end": 'event: taskcast.done\ndata: {"reason":"comp\nid: c9\n\n',
  "an end without a reason": "event: taskcast.done\ndata: {}\nid: c9\n\n",
};

for (
  const options of [{ transport: "fetch" }, { transport: "eventsource" }, { share: true }] as const
) {
  const how = JSON.stringify(options);
  Deno.test(`${how}: a damaged message breaks the connection, and is fetched again`, async () => {
    for (const [what, frame] of Object.entries(DAMAGED)) {
      await using server = scriptedServer(
        sse(eventFrame("c1", 1), frame, eventFrame("c3", 3)),
        sse(eventFrame("c2", 2), eventFrame("c3", 3), doneFrame("c4")),
      );
      const { seen, errors, reason } = await reportOf(
        readerOf(server, { ...options, EventSource }),
      );
      assert.deepEqual(seen, [1, 2, 3], what);
      assert.equal(reason, "completed", what);
      assert.equal(errors.length, 1, what);
      assert.match(errors[0]!, /Error: The data of taskcast\..* was damaged on the way$/, what);
      const { headers, url } = server.requests[1]!;
      const cursor = headers.get("last-event-id") ?? new URL(url).searchParams.get("since.id");
      assert.equal(cursor, "c1", what);
    }
  });
}

Deno.test("a message that is damaged every time is fetched with growing delays", async () => {
  await using server = scriptedServer(sse(eventFrame("c1", 1), DAMAGED["half an event"]));
  const stop = new AbortController();
  const waits: number[] = [];
  await readerOf(server, { connection: { minDelayMs: 2, maxDelayMs: 16, random: () => 1 } })
    .subscribe("t", {
      since: { id: "c1" },
      signal: stop.signal,
      onError(_, { retryInMs }) {
        waits.push(Math.round(retryInMs!));
        if (waits.length === 5) stop.abort();
      },
    });
  assert.deepEqual(waits, [2, 4, 8, 16, 16]);
});

Deno.test("messages with other names are ignored, whatever their data", async () => {
  const other = "event: later.version\ndata: {not json\n\ndata: unnamed\n\n";
  await using server = scriptedServer(sse(other, eventFrame("c1", 1), other, doneFrame("c2")));
  assert.deepEqual(await reportOf(readerOf(server)), {
    seen: [1],
    errors: [],
    reason: "completed",
  });
});

Deno.test("a chat does not accept a page as its answer, and keeps the known answer", async () => {
  const portal = SUCCESSES["a captive portal"]!;
  await using server = scriptedServer(portal, none, portal, portal);
  const transport = new TaskcastChatTransport({
    api: `${server.url}/chat`,
    messages: [{ id: "question", role: "user", parts: [] }],
  });
  const isPage = { name: "TypeError", message: /^network error: a page/ };
  await assert.rejects(transport.reconnectToStream({ chatId: "c" }), isPage);
  assert.equal(await transport.reconnectToStream({ chatId: "c" }), null);
  const [first, second] = server.requests.map(({ url }) => url);
  assert.match(first!, /message=question/);
  assert.equal(second, first);
  await assert.rejects(transport.stop("c"), isPage);
});

Deno.test("resuming a chat continues after a foreign refusal in our format", async () => {
  const answer = (text: string): Answer => () =>
    new Response(text, {
      headers: { "content-type": "text/event-stream", "taskcast-answer": "a1" },
    });
  const refusal = () =>
    Response.json({ error: { code: "NOT_FOUND", message: "no backend" } }, { status: 404 });
  const start = 'data: {"type":"start"}\n\n';
  await using server = scriptedServer(
    answer(start),
    refusal,
    answer(start + 'data: {"type":"finish"}\n\ndata: [DONE]\n\n'),
  );
  const transport = new TaskcastChatTransport({ api: `${server.url}/chat`, retry: quick });
  const stream = await transport.reconnectToStream({ chatId: "d" });
  const types = (await Array.fromAsync(stream!)).map(({ type }) => type);
  assert.deepEqual(types, ["start", "finish"]);
});
