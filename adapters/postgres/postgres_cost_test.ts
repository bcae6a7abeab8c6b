import assert from "node:assert/strict";
import postgres from "postgres";
import type { Commit, EventDraft, ShortTermStore } from "@taskcast/core";
import { MemoryBroadcastProvider, TaskEngine } from "@taskcast/core";
import { hasPostgres, startPostgres } from "../../tests/support/postgres_server.ts";
import { until } from "../../tests/support/sse.ts";
import { createPostgresAdapters } from "./mod.ts";

// `postgres_test.ts` says that it is left out.
const test = await hasPostgres() ? Deno.test : () => {};

const EVENTS = 24_000;
const TASKS = 20_000;

/** A log of three types, one of them a text that grows. */
async function fill(store: ShortTermStore): Promise<void> {
  const bounds = { maxEvents: 1_000_000, maxBytes: 1e12 };
  for (let from = 0; from < EVENTS; from += 1_000) {
    const events = Array.from({ length: 1_000 }, (_, i): EventDraft => {
      const draft = { entropy: from + i, level: "info" as const };
      if (i % 3 > 0) return { ...draft, type: `plain.${i % 3}`, data: `${from + i}` };
      const series = { seriesId: "s", seriesMode: "accumulate" as const, accField: "delta" };
      return { ...draft, type: "text", data: '{"delta":"word "}', delta: "word ", ...series };
    });
    const commit: Commit = { taskId: "t", expect: "live", events, nowMs: from, ...bounds };
    const result = await store.commit(commit);
    assert(result.ok);
  }
}

/** Rows that PostgreSQL has looked at, in tables and indexes, once nobody uses it any more. */
async function rowsRead(sql: postgres.Sql): Promise<number> {
  await until(async () => {
    const [row] = await sql<{ gone: boolean }[]>`SELECT count(*) = 0 AS gone
      FROM pg_stat_activity WHERE application_name = 'taskcast'`;
    return row!.gone;
  }, "its connections have ended, so that all is counted");
  const [row] = await sql<{ count: number }[]>`SELECT ((SELECT sum(seq_tup_read)
    FROM pg_stat_user_tables) + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes))::float8
    AS count`;
  return row!.count;
}

/** What PostgreSQL knows of its tables: nothing, or how they were when all logs were short. */
for (const known of ["nothing", "what was"] as const) {
  test(`postgres: reads cost what they give, though it knows ${known} of its tables`, async () => {
    await using server = await startPostgres({ args: ["-c", "autovacuum=off"] });
    const connection = { application_name: "test" };
    const sql = postgres(server.url, { max: 1, onnotice: () => {}, connection });

    async function withStore(work: (store: ShortTermStore) => Promise<unknown>): Promise<void> {
      const options = { url: server.url, maxConnections: 1 };
      const { broadcast, shortTerm } = await createPostgresAdapters(options);
      await work(shortTerm);
      await shortTerm.close();
      await broadcast.close();
    }

    /** On a connection that ends, so that what it reads is counted before anything is measured. */
    async function other(text: string): Promise<void> {
      const once = postgres(server.url, { max: 1, connection: { application_name: "taskcast" } });
      await once.unsafe(text);
      await once.end();
    }

    await withStore(async (shortTerm) => {
      const broadcast = new MemoryBroadcastProvider();
      const engine = new TaskEngine({ broadcast, shortTermStore: shortTerm });
      const ids = ["t", ...Array.from({ length: 300 }, (_, i) => `short${i}`)];
      await Promise.all(ids.map((id) => engine.createTask({ id })));
      await Promise.all(ids.map((id) => engine.publishEvent(id, { type: "plain.1", data: 1 })));
      await engine.close();
      if (known === "what was") await other("ANALYZE");
      await fill(shortTerm);
    });
    await other(`INSERT INTO taskcast_live_tasks SELECT 1000000 + n, 'x' || n, incarnation, version,
    status, type, tags, created_at, updated_at, completed_at, record, 0, 0, 0, 0
    FROM taskcast_live_tasks, generate_series(1, ${TASKS}) AS n WHERE id = 't'`);
    await other(`INSERT INTO taskcast_live_due SELECT task, 'wake', 1000 + task
    FROM taskcast_live_tasks WHERE task > 1000000`);

    /** Rows that a read costs, without what it takes to open a store. */
    async function costOf(work: (store: ShortTermStore) => Promise<unknown>): Promise<number> {
      await withStore(async () => {});
      const before = await rowsRead(sql);
      await withStore(async () => {});
      const opened = await rowsRead(sql);
      await withStore(work);
      return await rowsRead(sql) - opened - (opened - before);
    }

    const limit = 50;
    const filter = { types: ["plain.1"] };
    const reads: Record<string, (store: ShortTermStore) => Promise<unknown>> = {};
    for (const after of [10, EVENTS - 100]) {
      for (const backward of [false, true]) {
        const query = { after, through: after + 90, limit, backward };
        const what = `from ${after}${backward ? ", backward" : ""}`;
        reads[`a page ${what}`] = (store) => store.readLog("t", query);
        reads[`a filtered page ${what}`] = (store) => store.readLog("t", { ...query, filter });
        reads[`a plain page ${what}`] = (store) => store.readLog("t", { ...query, plain: true });
      }
      const open = { after, limit };
      reads[`an open page from ${after}`] = (store) => store.readLog("t", open);
      reads[`an open filtered page from ${after}`] = (store) =>
        store.readLog("t", { ...open, filter });
      reads[`a count to ${after}`] = (store) => store.countMatches("t", filter, [after]);
    }
    reads["due work"] = (store) => store.due(2_000_000, limit);
    const dear: string[] = [];
    for (const [what, read] of Object.entries(reads)) {
      const cost = await costOf(read);
      if (cost > 1_000) dear.push(`${what}: ${cost} rows`);
    }
    assert.deepEqual(dear, []);
    await sql.end();
  });
}
