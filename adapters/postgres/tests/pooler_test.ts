import assert from "node:assert/strict";
import postgres from "postgres";
import type { Signal } from "@taskcast/core/adapter";
import { MemoryBroadcastProvider, TaskcastError, TaskEngine } from "@taskcast/core";
import { leftOut } from "../../../testing/left_out.ts";
import { until } from "../../../testing/sse/sse.ts";
import { hasPgbouncer, startPgbouncer } from "../../../testing/databases/pgbouncer_server.ts";
import { hasPostgres, startPostgres } from "../../../testing/databases/postgres_server.ts";
import type { PostgresAdapterOptions, PostgresAdaptersOptions } from "../mod.ts";
import { createPostgresAdapter, createPostgresAdapters, migratePostgres } from "../mod.ts";

const canPool = await hasPgbouncer();
if (!canPool) leftOut("the tests of poolers", "pgbouncer");
const test = canPool && await hasPostgres() ? Deno.test : () => {};

/** Opens an engine on a store; its wake-ups do not matter. */
async function openEngine(options: PostgresAdapterOptions) {
  const { broadcast, shortTerm } = await createPostgresAdapters(options);
  const engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: shortTerm,
    options: { sweepMs: 0 },
  });
  return {
    engine,
    shortTerm,
    async [Symbol.asyncDispose]() {
      await engine.close();
      await shortTerm.close();
      await broadcast.close();
    },
  };
}

/** Returns whether work succeeded; a failure must say that the store cannot be used. */
async function isDone(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    assert(error instanceof TaskcastError, String(error));
    assert.equal(error.code, "STORE_UNAVAILABLE", error.message);
    return false;
  }
}

for (const poolSize of [1, 2, 3]) {
  test(`postgres: behind a pooler of transactions (${poolSize}) everything works, from the first task on`, async () => {
    await using server = await startPostgres();
    await using pooler = await startPgbouncer(server.url, { poolSize });
    await migratePostgres({ url: pooler.url });
    await using pooled = await openEngine({ url: pooler.url, maxConnections: 5 });
    await using direct = await openEngine({ url: server.url, maxConnections: 2 });
    const ids = Array.from({ length: 80 }, (_, i) => `t${i}`);
    for (let at = 0; at < ids.length; at += 4) {
      await Promise.all(ids.slice(at, at + 4).map((id) => pooled.engine.createTask({ id })));
    }
    await Promise.all(ids.map((id) => pooled.engine.publishEvent(id, { type: "n", data: id })));
    for (const id of ids) {
      assert.equal((await direct.shortTerm.getTask(id))?.length, 1, `${id} is there`);
    }
  });
}

for (const preparedStatements of [undefined, true]) {
  const how = preparedStatements ? "even with names that it does not know, " : "";
  test(`postgres: behind a pooler, ${how}no task is acknowledged that is not there, whatever is killed`, async () => {
    await using server = await startPostgres();
    await using pooler = await startPgbouncer(server.url, { poolSize: 2 });
    await migratePostgres({ url: server.url });
    const options = { maxConnections: 4, timeoutMs: 1_000, preparedStatements };
    await using pooled = await openEngine({ url: pooler.url, ...options });
    await using direct = await openEngine({ url: server.url, maxConnections: 2 });
    const admin = postgres(server.url, { max: 1, connection: { application_name: "admin" } });
    let isOver = false;
    let kills = 0;
    const killing = (async () => {
      while (!isOver) {
        const rows = await admin`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE application_name = 'taskcast' ORDER BY random() LIMIT 1`;
        kills += rows.length;
        await admin`SELECT pg_sleep(0.02)`;
      }
    })();
    const acknowledged: string[] = [];
    for (let round = 0; round < (preparedStatements ? 6 : 60); round++) {
      await Promise.all(Array.from({ length: 4 }, async (_, i) => {
        const id = `t${round}-${i}`;
        if (await isDone(pooled.engine.createTask({ id }))) acknowledged.push(id);
        await isDone(pooled.shortTerm.getTask(id));
      }));
    }
    isOver = true;
    await killing;
    await admin.end();
    const missing: string[] = [];
    for (const id of acknowledged) {
      while (!await isDone(direct.shortTerm.getTask(id)));
      if (await direct.shortTerm.getTask(id) === undefined) missing.push(id);
    }
    assert.deepEqual(missing, []);
    assert(acknowledged.length > 0, "some were acknowledged");
    assert(kills > 0, "some were killed");
  });
}

test("postgres: an archive works behind a pooler", async () => {
  await using server = await startPostgres();
  await using pooler = await startPgbouncer(server.url, { poolSize: 1 });
  const archive = await createPostgresAdapter({ url: pooler.url });
  for (let i = 0; i < 20; i++) {
    await Promise.all([
      archive.positions([{ taskId: `t${i}`, incarnation: "0123abcd" }]),
      archive.deleteTask(`t${i}`, "0123abcd"),
    ]);
  }
  await archive.close();
});

/** Opens a broadcast layer and the means to close it. */
async function openBroadcast(options: PostgresAdaptersOptions) {
  const { broadcast, shortTerm } = await createPostgresAdapters(options);
  return {
    broadcast,
    async [Symbol.asyncDispose]() {
      await broadcast.close();
      await shortTerm.close();
    },
  };
}

const DEAF =
  /wake-ups of PostgreSQL are not heard: .* set "listenUrl" \(TASKCAST_POSTGRES_LISTEN_URL\)/;

for (const poolSize of [1, 3]) {
  test(`postgres: wake-ups that no pooler of transactions (${poolSize}) passes on are told, and heard at another address`, async () => {
    await using server = await startPostgres();
    await using pooler = await startPgbouncer(server.url, { poolSize });
    await using deaf = await openBroadcast({ url: pooler.url, maxConnections: 4 });
    const report = await deaf.broadcast.check();
    assert.equal(report?.status, "unavailable");
    assert.match(report.message, DEAF);

    const options = { url: pooler.url, listenUrl: server.url, maxConnections: 4 };
    await using here = await openBroadcast(options);
    await using there = await openBroadcast(options);
    const heard: Signal[] = [];
    await there.broadcast.subscribe({ taskId: "t" }, (signal) => heard.push(signal));
    await here.broadcast.publish({ taskId: "t", from: 0, length: 1 });
    await until(() => heard.length > 0, "it is heard");
    for (const { broadcast } of [here, there]) assert.equal(await broadcast.check(), undefined);
  });
}

test("postgres: wake-ups that go to another database are reported", async () => {
  await using server = await startPostgres();
  await using other = await startPostgres();
  await using opened = await openBroadcast({ url: server.url, listenUrl: other.url });
  assert.match((await opened.broadcast.check())!.message, DEAF);
});

test("postgres: a pooler of sessions passes wake-ups on", async () => {
  await using server = await startPostgres();
  await using pooler = await startPgbouncer(server.url, { mode: "session", poolSize: 6 });
  await using opened = await openBroadcast({ url: pooler.url, maxConnections: 4 });
  assert.equal(await opened.broadcast.check(), undefined);
});
