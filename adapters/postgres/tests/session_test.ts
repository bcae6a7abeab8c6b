import assert from "node:assert/strict";
import postgres from "postgres";
import type { LongTermStore, ShortTermStore } from "@taskcast/core/adapter";
import { MemoryBroadcastProvider, TaskEngine } from "@taskcast/core";
import { movingProxy } from "../../../testing/network/moving_proxy.ts";
import { hasPostgres, startPostgres } from "../../../testing/databases/postgres_server.ts";
import { until } from "../../../testing/sse/sse.ts";
import type { PostgresAdapterOptions } from "../mod.ts";
import { createPostgresAdapter, createPostgresAdapters, migratePostgres } from "../mod.ts";

// `conformance_test.ts` reports the skip.
const test = await hasPostgres() ? Deno.test : () => {};

const ONLY_READS = /only reads/;

async function openEngine(options: PostgresAdapterOptions) {
  const { broadcast, shortTerm } = await createPostgresAdapters(options);
  const engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: shortTerm,
    options: { sweepMs: 0 },
    hooks: { onUnhandledError: () => {} },
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

/** Runs everything that is repeated when a session ends. */
async function readAll(store: ShortTermStore, archive: LongTermStore): Promise<void> {
  const { incarnation } = (await store.getTask("t", 0))!.record;
  for (const reader of [store, archive]) {
    await reader.getTask("t");
    await reader.listTasks({ limit: 1 });
    await reader.readLog("t", { after: -1, limit: 1 });
    await reader.readFolds("t", { after: -1, limit: 1 });
    await reader.countMatches("t", { types: ["n"] }, [0]);
  }
  await store.due(Date.now(), 1);
  await store.scheduled("archive", { limit: 1 });
  await store.readNotes("t", incarnation);
  await archive.positions([{ taskId: "t", incarnation }]);
}

/** Uses all connections of a store at once, so that all are made. */
async function fillPool(store: ShortTermStore): Promise<void> {
  await Promise.all(Array.from({ length: 40 }, () => store.getTask("t")));
}

test("postgres: while the database is read-only, check() says so, and reads only read", async () => {
  await using server = await startPostgres();
  await using opened = await openEngine({ url: server.url, maxConnections: 5 });
  const { engine, shortTerm } = opened;
  const archive = await createPostgresAdapter({ url: server.url, maxConnections: 2 });
  await engine.createTask({ id: "t" });
  const admin = postgres(server.url, { max: 1, connection: { application_name: "admin" } });
  const set = (value: "on" | "off") =>
    admin.unsafe(`ALTER DATABASE postgres SET default_transaction_read_only = ${value}`);
  await set("on");
  // Sessions keep their initial mode; a managed server ends the existing ones.
  await admin`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = 'taskcast'`;
  const publish = () => engine.publishEvent("t", { type: "n", data: 0 });
  await until(
    () => publish().then(() => false, ({ message }) => ONLY_READS.test(message)),
    "it reads",
  );
  await fillPool(shortTerm);
  await readAll(shortTerm, archive);
  for (const store of [shortTerm, archive]) {
    await until(async () => {
      const report = await store.check().catch(() => {});
      return report?.status === "unavailable" && ONLY_READS.test(report.message);
    }, "check says so");
  }
  let over = false;
  const reading = (async () => {
    while (!over) assert.equal((await shortTerm.getTask("t"))!.record.task.id, "t");
  })();
  // Reads continue while writes look for better connections.
  const beganMs = performance.now();
  await until(async () => {
    await assert.rejects(publish(), ONLY_READS);
    return performance.now() - beganMs > 1_500;
  }, "it only reads for a while");
  await set("off");
  await until(() => publish().then(() => true, () => false), "it is written again");
  await Promise.all(Array.from({ length: 40 }, publish));
  for (const store of [shortTerm, archive]) {
    await until(async () => await store.check() === undefined, "check says so");
  }
  over = true;
  await reading;
  const left = await admin`SELECT task::int, kind FROM taskcast_live_due`;
  assert.deepEqual([...left], [{ task: 0, kind: "check" }]);
  await admin.end();
  await archive.close();
});

test("postgres: connections that lead to a standby are left for where the address leads by now", async () => {
  await using primary = await startPostgres();
  await migratePostgres({ url: primary.url });
  const folder = await Deno.makeTempDir({ prefix: "taskcast-postgres-" });
  try {
    const first = await startPostgres({ folder });
    await migratePostgres({ url: first.url });
    await first.stop();
    await Deno.create(`${folder}/data/standby.signal`);
    await using standby = await startPostgres({ folder });
    await using proxy = movingProxy(standby.url);
    const url = new URL(primary.url);
    url.port = new URL(proxy.url).port;
    await using opened = await openEngine({ url: url.href, maxConnections: 3 });
    const { engine, shortTerm } = opened;
    await fillPool(shortTerm);
    await assert.rejects(engine.createTask({ id: "t" }), ONLY_READS);
    assert.match((await shortTerm.check())!.message, ONLY_READS);
    proxy.moveTo(primary.url);
    await until(
      () => engine.createTask({ id: "t" }).then(() => true, () => false),
      "it is written",
    );
    assert.equal(await shortTerm.check(), undefined);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Ends all sessions of the adapters, and waits until they are gone. */
async function endSessions(admin: postgres.Sql): Promise<void> {
  const ended = await admin`SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = 'taskcast'`;
  const pids = ended.map(({ pid }) => pid);
  assert(pids.length > 0, "there were some");
  await until(async () => {
    const left = await admin`SELECT FROM pg_stat_activity WHERE pid = ANY(${pids})`;
    return left.length === 0;
  }, "they are gone");
}

test("postgres: sessions that the server ends are replaced, and reads do not notice", async () => {
  await using server = await startPostgres();
  await using opened = await openEngine({ url: server.url, maxConnections: 5 });
  const { engine, shortTerm } = opened;
  await engine.createTask({ id: "t" });
  const admin = postgres(server.url, { max: 1, connection: { application_name: "admin" } });
  for (let round = 0; round < 10; round++) {
    await fillPool(shortTerm);
    let over = false;
    const reading = (async () => {
      while (!over) await fillPool(shortTerm);
    })();
    await endSessions(admin);
    over = true;
    await reading;
    const publish = () => engine.publishEvent("t", { type: "n", data: round });
    await until(() => publish().then(() => true, () => false), "it is written again");
    // By now each ended session had something to read and is known to be gone.
    await fillPool(shortTerm);
    await Promise.all(Array.from({ length: 20 }, publish));
  }
  await admin.end();
});
