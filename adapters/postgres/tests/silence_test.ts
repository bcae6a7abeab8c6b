import assert from "node:assert/strict";
import type { Signal } from "@taskcast/core/adapter";
import { TaskEngine } from "@taskcast/core";
import { hasPostgres, startPostgres } from "../../../testing/databases/postgres_server.ts";
import { silencingProxy } from "../../../testing/network/silencing_proxy.ts";
import { until } from "../../../testing/sse/sse.ts";
import { createPostgresAdapter, createPostgresAdapters, migratePostgres } from "../mod.ts";

// `conformance_test.ts` reports the skip.
const test = await hasPostgres() ? Deno.test : () => {};

const WAKE_ALL = Infinity;

test("postgres: connections that go silent are replaced, and listeners are woken", async () => {
  await using server = await startPostgres();
  await using proxy = silencingProxy(server.url);
  const options = { url: proxy.url, timeoutMs: 300, maxConnections: 3 };
  const { broadcast, shortTerm } = await createPostgresAdapters(options);
  const engine = new TaskEngine({ broadcast, shortTermStore: shortTerm, options: { sweepMs: 0 } });
  await engine.createTask({ id: "t" });
  await Promise.all(Array.from({ length: 20 }, () => shortTerm.getTask("t")));
  const heard: Signal[] = [];
  const stop = await broadcast.subscribe({ taskId: "t" }, (signal) => heard.push(signal));
  for (let round = 0; round < 2; round++) {
    heard.length = 0;
    proxy.silence();
    const beganMs = performance.now();
    const answers = () => shortTerm.getTask("t").then(() => true, () => false);
    await until(answers, "new connections are used");
    // The second time, a pause precedes the replacement, unless there were replies in between.
    assert(performance.now() - beganMs < (round === 0 ? 2_000 : 8_000));
    await until(() => heard.some(({ from }) => from === WAKE_ALL), "who listens is woken");
    // A connection that is still silent, or slow on a busy machine, may be used until it is replaced.
    const publish = () =>
      engine.publishEvent("t", { type: "n", data: round }).then(() => true, () => false);
    await until(publish, "publishing works again");
    await until(() => heard.some(({ from }) => from !== WAKE_ALL), "wake-ups are heard again");
  }
  await stop();
  await engine.close();
  await shortTerm.close();
  await broadcast.close();
});

test("postgres: one connection that goes silent among others is noticed", async () => {
  await using server = await startPostgres();
  await using proxy = silencingProxy(server.url);
  const options = { url: proxy.url, timeoutMs: 200, maxConnections: 2 };
  const { broadcast, shortTerm } = await createPostgresAdapters(options);
  await until(async () => {
    await Promise.all(Array.from({ length: 20 }, () => shortTerm.getTask("t")));
    return proxy.count === 2;
  }, "there are two connections");
  proxy.silence((index) => index === 0);
  let answeredInARow = 0;
  const read = () => shortTerm.getTask("t").then(() => answeredInARow++, () => answeredInARow = 0);
  await until(async () => {
    await Promise.all([read(), read(), read()]);
    return proxy.count > 2 && answeredInARow > 20;
  }, "it is not used any more");
  await shortTerm.close();
  await broadcast.close();
});

test("postgres: a connection that listens and goes silent is noticed though all else is well", async () => {
  await using server = await startPostgres();
  await using proxy = silencingProxy(server.url);
  const options = { url: proxy.url, timeoutMs: 300, maxConnections: 1 };
  const { broadcast, shortTerm } = await createPostgresAdapters(options);
  const heard: Signal[] = [];
  await broadcast.subscribe({ taskId: "t" }, (signal) => heard.push(signal));
  assert.equal(proxy.count, 2);
  proxy.silence((index) => index === 1);
  await until(() => heard.length > 0, "who listens is woken");
  heard.length = 0;
  broadcast.publish({ taskId: "t", from: 0, length: 1 });
  await until(() => heard.length > 0, "wake-ups are heard again");
  await shortTerm.close();
  await broadcast.close();
});

test("postgres: wake-ups are heard soon after an outage, however long", async () => {
  const folder = await Deno.makeTempDir({ prefix: "taskcast-postgres-" });
  let server = await startPostgres({ folder, durable: true });
  const { port } = server;
  const { broadcast, shortTerm } = await createPostgresAdapters({ url: server.url });
  const heard: Signal[] = [];
  await broadcast.subscribe({ taskId: "t" }, (signal) => heard.push(signal));
  await server.kill();
  // Long enough for attempts at tripling intervals to be seconds apart.
  const beganMs = performance.now();
  await until(() => performance.now() - beganMs > 3_000, "the outage is over");
  server = await startPostgres({ folder, port, durable: true });
  const backMs = performance.now();
  await until(() => heard.some(({ from }) => from === WAKE_ALL), "it listens again");
  assert(performance.now() - backMs < 1_500, "soon");
  await shortTerm.close();
  await broadcast.close();
  await server.stop();
  await Deno.remove(folder, { recursive: true });
});

test("postgres: it closes and leaves nothing behind while the database is silent or absent", async () => {
  const server = await startPostgres();
  await using proxy = silencingProxy(server.url);
  const options = { url: proxy.url, timeoutMs: 200, maxConnections: 2 };
  const { broadcast, shortTerm } = await createPostgresAdapters(options);
  await broadcast.subscribe({ all: true }, () => {});
  await shortTerm.getTask("t");
  proxy.silence();
  await assert.rejects(shortTerm.getTask("t"), /no answer within 200 ms/);
  const gone = await createPostgresAdapters({ url: server.url, timeoutMs: 200 });
  await gone.broadcast.subscribe({ all: true }, () => {});
  await server[Symbol.asyncDispose]();
  await assert.rejects(gone.shortTerm.getTask("t"), /PostgreSQL cannot be used/);
  const beganMs = performance.now();
  for (const adapter of [gone.broadcast, gone.shortTerm, broadcast, shortTerm]) {
    await adapter.close();
  }
  assert(performance.now() - beganMs < 8_000);
});

Deno.test("postgres: a server that takes connections and never answers stops the start", async () => {
  const open: Deno.Conn[] = [];
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = (async () => {
    for await (const connection of listener) open.push(connection);
  })();
  const url = `postgres://nobody@127.0.0.1:${listener.addr.port}/none`;
  const options = { url, timeoutMs: 300 };
  const silent = /PostgreSQL cannot be used: no answer within 300 ms/;
  await assert.rejects(createPostgresAdapter(options), silent);
  await assert.rejects(createPostgresAdapters({ ...options, autoMigrate: false }), silent);
  await assert.rejects(migratePostgres({ url }), /it does not answer; is it a PostgreSQL/);
  listener.close();
  await accepting;
  for (const connection of open) connection.close();
});
