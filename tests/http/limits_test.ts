import assert from "node:assert/strict";
import type { TaskcastAppOptions } from "@taskcast/server";
import { createTaskcastApp, forwardedAddress } from "@taskcast/server";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import { TaskcastClient } from "@taskcast/client";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import type { JWTPayload } from "jose";
import { SignJWT } from "jose";
import { openBody } from "../../testing/network/open_body.ts";
import { parsePrometheus, valueOf } from "../../testing/texts/prometheus.ts";
import { frames, until } from "../../testing/sse/sse.ts";
import type { TestServer } from "../../testing/servers/test_server.ts";
import { startServer } from "../../testing/servers/test_server.ts";

// Limits as callers meet them, over sockets. Rates are so low that no bucket refills during a test;
// unit tests with a clock cover refilling.

const secret = "a secret of more than thirty-two bytes";
const jwt: TaskcastAppOptions["auth"] = { mode: "jwt", jwt: { secret } };

async function bearer(claims: JWTPayload): Promise<Record<string, string>> {
  const token = await new SignJWT({ taskIds: "*", scope: ["*"], ...claims })
    .setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(secret));
  return { authorization: `Bearer ${token}` };
}

/** The header stands for the connection's address, which is always the same on loopback. */
const clientAddress: TaskcastAppOptions["clientAddress"] = (request) =>
  request.headers.get("x-test-address") ?? "192.0.2.1";
const from = (address: string) => ({ "x-test-address": address });
const slow = (burst: number) => ({ requestsPerSecond: 0.001, burst });

async function statuses(
  server: TestServer,
  count: number,
  headers: Record<string, string>,
  path = "/tasks",
): Promise<number[]> {
  const all: number[] = [];
  for (let i = 0; i < count; i++) {
    const response = await fetch(server.url + path, { headers });
    await response.body?.cancel();
    all.push(response.status);
  }
  return all;
}

Deno.test("rate limit: each credential has one limit for all its tokens", async () => {
  const trustedServices = { billing: "a key of many characters" };
  await using server = startServer({
    app: { auth: jwt, trustedServices, rateLimit: slow(2) },
  });
  const me = await bearer({ sub: "me" });
  const meAgain = await bearer({ sub: "me", jti: "another token" });
  assert.deepEqual(await statuses(server, 1, me), [200]);
  assert.deepEqual(await statuses(server, 2, meAgain), [200, 429]);
  assert.deepEqual(await statuses(server, 1, me), [429]);
  assert.deepEqual(await statuses(server, 3, me, "/metrics"), [200, 200, 200]);
  for (
    const other of [
      await bearer({ sub: "you" }),
      await bearer({ sub: "me", iss: "another issuer" }),
      await bearer({ sub: "service:billing" }),
      await bearer({ sub: "x".repeat(3_000) }),
      await bearer({}),
      await bearer({ jti: "another without a subject" }),
      { "x-taskcast-service-key": trustedServices.billing },
    ]
  ) {
    assert.deepEqual(await statuses(server, 3, other), [200, 200, 429]);
  }
});

Deno.test("rate limit: another encoding of a token is the same caller", async () => {
  await using server = startServer({ app: { auth: jwt, rateLimit: slow(3) } });
  const { authorization } = await bearer({});
  // The last character of 32 bytes in base64url has two unused bits.
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const last = alphabet.indexOf(authorization!.at(-1)!);
  const seen: number[] = [];
  for (let bits = 0; bits < 4; bits++) {
    const variant = authorization!.slice(0, -1) + alphabet[(last & ~3) | bits];
    seen.push(...await statuses(server, 1, { authorization: variant }));
  }
  assert.deepEqual(seen, [200, 200, 200, 429]);
});

Deno.test("rate limit: a caller is counted only if the host's function identifies it", async () => {
  const who: { sub?: string; credential?: string }[] = [
    { sub: "a" },
    { sub: "a" },
    { sub: "a", credential: "b" },
    { sub: "c", credential: "b" },
    {},
    {},
  ];
  await using server = startServer({
    app: {
      auth: {
        mode: "custom",
        authenticate: () => ({ taskIds: "*", scope: ["*"], ...who.shift() }),
      },
      rateLimit: slow(1),
    },
  });
  assert.deepEqual(await statuses(server, 6, {}), [200, 429, 200, 429, 200, 200]);
});

Deno.test("rate limit: our clients wait as long as asked, and then continue", async () => {
  await using server = startServer({
    app: { clientAddress, rateLimit: { requestsPerSecond: 4, burst: 2 } },
  });
  const taskcast = new TaskcastServerClient({ baseUrl: server.url, retry: { attempts: 5 } });
  const { id } = await taskcast.createTask();
  for (let i = 0; i < 3; i++) await taskcast.publishEvent(id, { type: "n", data: i });
  await server.engine.transitionTask(id, "completed");
  const seen: unknown[] = [];
  for await (const event of new TaskcastClient({ baseUrl: server.url }).stream(id)) {
    if (event.type === "n") seen.push(event.data);
  }
  assert.deepEqual(seen, [0, 1, 2]);
});

Deno.test("rate limit: the answer has Retry-After, and a refused request changes nothing", async () => {
  await using server = startServer({ app: { clientAddress, rateLimit: slow(1) } });
  assert.equal((await server.call("POST", "/tasks", { id: "a" })).status, 201);
  const { status, headers, body } = await server.call("POST", "/tasks", { id: "b" });
  assert.equal(status, 429);
  assert.equal(body.error.code, "RATE_LIMITED");
  const { retryAfterMs, limit } = body.error.details;
  assert.equal(limit, "address");
  assert(retryAfterMs > 900_000 && retryAfterMs <= 1_000_000, `${retryAfterMs}`);
  assert.equal(headers.get("retry-after"), String(Math.ceil(retryAfterMs / 1000)));
  assert.equal(await server.engine.getTask("b"), undefined);
  // A stream of lines is refused before a line is read.
  const lines = await fetch(`${server.url}/tasks/a/events`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body: '{"type":"n","data":1}\n',
  });
  await lines.body?.cancel();
  assert.equal(lines.status, 429);
  assert.equal((await server.engine.getTask("a"))!.lastIndex, -1);
});

Deno.test("rate limit: requests are accepted again exactly after Retry-After", async () => {
  let nowMs = 0;
  const rateLimit = { requestsPerSecond: 2, burst: 1, now: () => nowMs };
  await using server = startServer({ app: { clientAddress, rateLimit } });
  assert.deepEqual(await statuses(server, 2, {}), [200, 429]);
  nowMs = 499;
  assert.deepEqual(await statuses(server, 1, {}), [429]);
  nowMs = 500;
  assert.deepEqual(await statuses(server, 2, {}), [200, 429]);
});

Deno.test("rate limit: an address is limited for every credential, and health is always answered", async () => {
  await using server = startServer({
    app: { auth: jwt, clientAddress, rateLimit: { ...slow(100), perAddress: slow(3) } },
  });
  const all = await Promise.all(["a", "b", "c", "d"].map((sub) => bearer({ sub })));
  const seen = [];
  for (const headers of all) seen.push(...await statuses(server, 1, headers));
  assert.deepEqual(seen, [200, 200, 200, 429]);
  assert.deepEqual(await statuses(server, 1, { ...all[3]!, ...from("192.0.2.2") }), [200]);
  // A network of IPv6 counts as one address.
  const network = (i: number) => ({ ...all[0]!, ...from(`2001:db8::${i}`) });
  for (let i = 0; i < 3; i++) assert.deepEqual(await statuses(server, 1, network(i)), [200]);
  assert.deepEqual(await statuses(server, 1, network(3)), [429]);
  for (const path of ["/docs", "/openapi.json"]) {
    assert.deepEqual(await statuses(server, 1, {}, path), [429], path);
  }
  for (const path of ["/", "/health", "/health/ready", "/health/detail", "/metrics"]) {
    assert.deepEqual(await statuses(server, 2, all[0]!, path), [200, 200], path);
  }
});

Deno.test("rate limit: an address that fails to authenticate too often is refused on every path", async () => {
  const trustedServices = { billing: "a key of many characters" };
  await using server = startServer({
    app: {
      auth: jwt,
      trustedServices,
      clientAddress,
      rateLimit: { ...slow(1_000), failedAuthentications: slow(4) },
    },
  });
  await server.engine.createTask({ id: "t" });
  const right = await bearer({ sub: "me" });
  const guesses: [Record<string, string>, string][] = [
    [{ authorization: "Bearer a.b.c" }, "/tasks"],
    [{ "x-taskcast-service-key": "a guess" }, "/health/detail"],
    [{}, "/tasks/t/events?ticket=guess"],
    [{}, "/tasks"],
  ];
  for (const [headers, path] of guesses) {
    assert.deepEqual(await statuses(server, 1, headers, path), [401], path);
  }
  for (const [headers, path] of [...guesses, [right, "/tasks"], [right, "/metrics"]] as const) {
    assert.deepEqual(await statuses(server, 1, headers, path), [429], path);
  }
  assert.deepEqual(await statuses(server, 1, { ...right, ...from("192.0.2.2") }), [200]);
  assert.deepEqual(await statuses(server, 1, {}, "/health/ready"), [200]);
});

Deno.test("rate limit: simultaneous guesses all count", async () => {
  await using server = startServer({
    app: {
      auth: jwt,
      clientAddress,
      rateLimit: { ...slow(1_000), failedAuthentications: slow(5) },
    },
  });
  await Promise.all(
    Array.from({ length: 20 }, () => statuses(server, 1, { authorization: "Bearer a.b.c" })),
  );
  assert.deepEqual(await statuses(server, 1, await bearer({})), [429]);
});

Deno.test("rate limit: forged headers do not change the address", async () => {
  for (const [hops, expected] of [[0, [200, 429, 429]], [1, [200, 429, 429]]] as const) {
    await using server = startServer({
      app: {
        clientAddress: (request) => forwardedAddress(request, "192.0.2.1", hops),
        rateLimit: slow(1),
      },
    });
    const seen = [];
    for (let i = 0; i < 3; i++) {
      // Our own proxy appends its entry at the end.
      const headers = { "x-forwarded-for": `10.0.0.${i}, 203.0.113.7` };
      seen.push(...await statuses(server, 1, headers));
    }
    assert.deepEqual(seen, [...expected], `${hops} hops`);
  }
});

Deno.test("invalid limits are refused at the start", async () => {
  await using engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
  });
  const bad: Partial<TaskcastAppOptions>[] = [
    { rateLimit: slow(1) }, // Neither callers nor addresses are known.
    { clientAddress, rateLimit: { requestsPerSecond: 0 } },
    { clientAddress, rateLimit: { ...slow(1), perAddress: slow(0) } },
    { clientAddress, rateLimit: { ...slow(1), failedAuthentications: slow(-1) } },
    { clientAddress, rateLimit: { ...slow(1), maxBuckets: 0 } },
    { maxStreams: 0 },
  ];
  for (const options of bad) {
    assert.throws(() => createTaskcastApp({ engine, ...options }), TypeError);
  }
});

Deno.test("streams: a caller's streams are limited, and an ended stream frees its slot", async () => {
  await using server = startServer({
    app: { auth: jwt, maxStreamsPerCredential: 2, maxStreams: 3 },
  });
  const { engine } = server;
  for (const id of ["a", "b"]) await engine.createTask({ id });
  const [me, you] = [await bearer({ sub: "me" }), await bearer({ sub: "you" })];
  const open = async (path: string, headers: Record<string, string>) => {
    const stream = frames(server.url + path, { headers });
    const first = stream.next();
    await Promise.race([first, until(() => engine.stats.streams > 0, "a stream is open")]);
    return { stream, first };
  };
  const first = await open("/tasks/a/events", me);
  await first.first;
  // A ticket counts for the credential that got it.
  const { body } = await server.call("POST", "/tasks/b/tickets", undefined, me);
  const second = await open(`/tasks/b/events?ticket=${body.ticket}`, {});
  await second.first;
  const refused = await server.call("GET", "/events", undefined, me);
  assert.deepEqual([refused.status, refused.body.error.code], [429, "RATE_LIMITED"]);
  assert(Number(refused.headers.get("retry-after")) >= 1);
  const third = await open("/tasks/a/events", you);
  await third.first;
  assert.equal((await server.call("GET", "/tasks/a/events", undefined, you)).status, 429, "all");
  assert.equal((await server.call("GET", "/tasks/a", undefined, me)).status, 200, "no stream");
  await engine.transitionTask("b", "completed");
  for await (const _ of second.stream); // Ends by itself.
  const fourth = await open("/tasks/a/events", me);
  await fourth.first;
  for (const { stream } of [first, third, fourth]) await stream.return();
});

Deno.test("streams: a slot is freed however its stream ends", async () => {
  await using server = startServer({ app: { auth: jwt, maxStreamsPerCredential: 1 } });
  const { engine } = server;
  await engine.createTask({ id: "t" });
  const ended = await engine.createTask({ id: "ended" });
  await engine.transitionTask(ended.id, "completed");
  const me = await bearer({ sub: "me" });
  const url = `${server.url}/tasks/t/events`;
  const take = async (path: string, init: RequestInit = {}, headers = me) => {
    const response = await fetch(server.url + path, { ...init, headers });
    await response.body?.cancel();
    return response.status;
  };
  const isFree = async () => {
    await until(async () => await take("/tasks/t/events") === 200, "the slot is free");
    await until(() => engine.stats.streams === 0, "the stream is gone");
  };
  // Requests that open no stream.
  for (
    const [path, init, expected] of [
      ["/tasks/t/events", { method: "HEAD" }, 200],
      ["/tasks/none/events", {}, 404],
      ["/tasks/t/events?since.id=nonsense", {}, 400],
      ["/tasks/t/events?levels=loud", {}, 400],
      ["/events?levels=loud", {}, 400],
    ] as const
  ) {
    assert.equal(await take(path, init), expected, path);
    await isFree();
  }
  // The end, and a reader that has it already.
  let cursor: string | undefined;
  for await (const frame of frames(`${server.url}/tasks/ended/events`, { headers: me })) {
    cursor = frame.id ?? cursor;
  }
  await isFree();
  assert.equal(await take("/tasks/ended/events", {}, { ...me, "last-event-id": cursor! }), 204);
  await isFree();
  // A token that expires.
  const brief = await bearer({ sub: "me", exp: Math.floor(Date.now() / 1000) + 1 });
  for await (const _ of frames(url, { headers: brief }));
  await isFree();
  // Deleting.
  const deleted = frames(url, { headers: me });
  await deleted.next();
  await engine.deleteTask("t");
  for await (const _ of deleted);
  await engine.createTask({ id: "t" });
  await isFree();
});

Deno.test("streams: hundreds of readers that disconnect at any moment leave nothing behind", async () => {
  await using server = startServer({ app: { auth: jwt, maxStreams: 40 } });
  const { engine } = server;
  await engine.createTask({ id: "t" });
  await engine.publishEvent("t", { type: "n", data: "x".repeat(10_000) });
  const me = await bearer({ sub: "me" });
  const seen = new Map<string, number>();
  const abortSoon = async (i: number) => {
    const stop = new AbortController();
    // From before the connection is made until after the first bytes arrive.
    if (i % 5 === 0) queueMicrotask(() => stop.abort());
    else if (i % 5 < 4) setTimeout(() => stop.abort(), (i * 7) % 23);
    const path = i % 2 === 0 ? "/events" : "/tasks/t/events";
    let outcome = "aborted";
    try {
      const response = await fetch(server.url + path, { headers: me, signal: stop.signal });
      outcome = String(response.status);
      await response.body!.getReader().read();
    } catch { /* As intended. */ }
    stop.abort();
    seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
  };
  for (let round = 0; round < 8; round++) {
    const readers = Array.from({ length: 50 }, (_, i) => abortSoon(round * 50 + i));
    await engine.publishEvent("t", { type: "n", data: round });
    // Streams of all tasks are silent until something happens.
    const noise = setInterval(() => void engine.publishEvent("t", { type: "n", data: 0 }), 10);
    await Promise.all(readers);
    clearInterval(noise);
  }
  assert(seen.get("200")! > 20 && seen.get("aborted")! > 20, JSON.stringify([...seen]));
  await until(() => engine.stats.streams === 0, "every stream is gone");
  // All forty slots are available, and no more.
  const open: AsyncGenerator[] = [];
  await until(async () => {
    const stream = frames(`${server.url}/tasks/t/events`, { headers: me });
    const ok = await stream.next().then(() => true, () => false);
    if (ok) open.push(stream);
    return open.length === 40;
  }, "all places are free");
  assert.equal((await server.call("GET", "/events", undefined, me)).status, 429);
  await Promise.all(open.map((stream) => stream.return(undefined)));
});

/** Publishes a line, and leaves the request open. */
function openPublishing(server: TestServer, id: string, headers: Record<string, string>) {
  const { body, write, close } = openBody();
  const stop = new AbortController();
  const answer = fetch(`${server.url}/tasks/${id}/events`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/x-ndjson" },
    body,
    signal: stop.signal,
  });
  // A request that was answered closes its body as well; an aborted one cannot.
  answer.then(close).catch(() => {});
  const writeLine = (line: string) => void write(line + "\n").catch(() => {});
  writeLine('{"type":"n","data":0}');
  return { answer, write: writeLine, close, abort: () => stop.abort() };
}

Deno.test("publishing lines: a caller has no more open requests than streams, and readers have their own", async () => {
  await using server = startServer({
    app: { auth: jwt, maxStreamsPerCredential: 2, maxStreams: 3 },
  });
  const { engine } = server;
  const [me, you] = [await bearer({ sub: "me" }), await bearer({ sub: "you" })];
  const { id } = await engine.createTask();
  const lines = async () => (await engine.getTask(id))!.lastIndex + 1;
  const open = async (headers: Record<string, string>) => {
    const before = await lines();
    const publishing = openPublishing(server, id, headers);
    await until(async () => await lines() > before, "its line is stored");
    return publishing;
  };
  const [first, second] = [await open(me), await open(me)];
  const refused = await openPublishing(server, id, me).answer;
  assert.equal(refused.status, 429);
  assert(Number(refused.headers.get("retry-after")) >= 1);
  const { error } = await refused.json();
  assert.deepEqual([error.code, error.details.limit], [
    "RATE_LIMITED",
    "publishing streams of the caller",
  ]);
  const third = await open(you);
  const full = await openPublishing(server, id, you).answer;
  assert.equal((await full.json()).error.details.limit, "publishing streams");
  assert.equal(await lines(), 3, "a refused request stores nothing");
  const metrics = parsePrometheus(
    await (await fetch(`${server.url}/metrics`, { headers: me })).text(),
  );
  const counted = (name: string, labels: Record<string, string>) =>
    valueOf(metrics, `taskcast_${name}`, labels);
  assert.equal(counted("stream_slots_in_use", { kind: "publishing" }), 3);
  for (const reason of ["caller_publishing_streams", "publishing_streams"]) {
    assert.equal(counted("requests_limited_total", { reason }), 1, reason);
  }

  const event = { type: "n", data: 1 };
  assert.equal((await server.call("POST", `/tasks/${id}/events`, event, me)).status, 201);
  for (const headers of [me, me, you]) {
    const reader = frames(`${server.url}/tasks/${id}/events`, { headers });
    await reader.next();
    await reader.return();
  }

  await first.close();
  assert.equal((await first.answer).status, 201);
  await (await first.answer).body?.cancel();
  await third.close();
  await (await third.answer).body?.cancel();
  const fourth = await open(me);
  await engine.transitionTask(id, "completed");
  for (const { answer } of [second, fourth]) {
    assert.equal((await answer).status, 409);
    await (await answer).body?.cancel();
  }
});

Deno.test("publishing lines: a slot is freed however its request ends", async () => {
  await using server = startServer({ app: { auth: jwt, maxStreamsPerCredential: 1 } });
  const { engine } = server;
  const me = await bearer({ sub: "me" });
  const ndjson = { ...me, "content-type": "application/x-ndjson" };
  const publish = async (id: string) =>
    (await server.call("POST", `/tasks/${id}/events`, '{"type":"n","data":0}', ndjson)).status;
  const isFree = () => until(async () => await publish("t") === 201, "the slot is free");
  const open = async () => {
    await isFree();
    const before = (await engine.getTask("t"))!.lastIndex;
    const publishing = openPublishing(server, "t", me);
    await until(async () => (await engine.getTask("t"))!.lastIndex > before, "its line is stored");
    assert.equal(await publish("t"), 429, "the only slot is taken");
    return publishing;
  };
  await engine.createTask({ id: "t" });
  (await open()).abort();

  const bad = await open();
  bad.write("nonsense");
  assert.equal((await bad.answer).status, 400);
  await (await bad.answer).body?.cancel();

  const deleted = await open();
  await engine.deleteTask("t");
  assert.equal((await deleted.answer).status, 404);
  await (await deleted.answer).body?.cancel();

  assert.equal(await publish("t"), 404);
  assert.equal(await publish("t"), 404, "a request without a task takes no slot");
  await engine.createTask({ id: "t" });
  await isFree();
});
