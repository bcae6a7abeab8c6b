import assert from "node:assert/strict";
import postgres from "postgres";
import type { Commit, EventDraft, SeriesFold, ShortTermStore } from "@taskcast/core/adapter";
import { MemoryBroadcastProvider, TaskEngine } from "@taskcast/core";
import { hasPostgres, startPostgres } from "../../../testing/databases/postgres_server.ts";
import { until } from "../../../testing/sse/sse.ts";
import { createPostgresAdapters } from "../mod.ts";

// `conformance_test.ts` reports the skip.
const test = await hasPostgres() ? Deno.test : () => {};

const EVENTS = 24_000;
const TASKS = 20_000;
const STEP = 1_000;

/**
 * Logs by their remaining events: only a few, every third, all. In this order, so that the few are
 * followed by many of others, which must not be read.
 */
const LOGS: Record<string, (index: number) => boolean> = {
  few: (index) => index % 8_000 === 1 || index === EVENTS,
  comb: (index) => index % 3 === 1 || index === EVENTS,
  t: () => true,
};

/** Fills a log with three types, one of them a growing text. */
async function fill(store: ShortTermStore, taskId: string): Promise<void> {
  const bounds = { maxEvents: 1_000_000, maxBytes: 1e12 };
  for (let from = 0; from < EVENTS; from += 1_000) {
    const events = Array.from({ length: 1_000 }, (_, i): EventDraft => {
      const draft = { entropy: from + i, level: "info" as const };
      if (i % 3 > 0) return { ...draft, type: `plain.${i % 3}`, data: `${from + i}` };
      const series = { seriesId: "s", seriesMode: "accumulate" as const, accField: "delta" };
      return { ...draft, type: "text", data: '{"delta":"word "}', delta: "word ", ...series };
    });
    const commit: Commit = { taskId, expect: "live", events, nowMs: from, ...bounds };
    const result = await store.commit(commit);
    assert(result.ok);
  }
}

/** Trims a log to its remaining events, in steps, and returns the number of steps. */
async function trim(store: ShortTermStore, taskId: string): Promise<number> {
  const { incarnation } = (await store.getTask(taskId))!.record;
  let removed = 0;
  for (let from = 0; from < EVENTS; from += STEP) {
    const indexes = Array.from({ length: STEP }, (_, i) => from + i)
      .filter((index) => !LOGS[taskId]!(index));
    removed += await store.trimLog(taskId, incarnation, { indexes, series: [] });
  }
  return removed;
}

/** Returns the number of rows that PostgreSQL has read in tables and indexes, once idle. */
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

/** Fills a log with many series of two events in a row each, followed by many other events. */
async function fillSeries(
  store: ShortTermStore,
  taskId: string,
  { series, others = 0 }: { series: number; others?: number },
): Promise<void> {
  const bounds = { maxEvents: 1_000_000, maxBytes: 1e12 };
  const kinds = 2 + others;
  const drafts = (from: number) =>
    Array.from({ length: kinds * 100 }, (_, i): EventDraft => {
      const draft = { entropy: 0, level: "info" as const, type: "text", data: '{"delta":"a"}' };
      if (i % kinds >= 2) return draft;
      const seriesId = `s${(from + Math.floor(i / kinds)) * 7_919 % series}`;
      return { ...draft, delta: "a", seriesId, seriesMode: "accumulate", accField: "delta" };
    });
  for (let from = 0; from < series; from += 100) {
    const commit = { taskId, expect: "live" as const, events: drafts(from), nowMs: 0, ...bounds };
    assert((await store.commit(commit)).ok);
  }
}

async function readFolds(store: ShortTermStore, taskId: string, limit: number) {
  const folds: SeriesFold[] = [];
  const { length } = (await store.getTask(taskId))!;
  for (let after = -1; after < length - 1;) {
    const page = (await store.readFolds(taskId, { after, limit, through: length - 1 }))!;
    folds.push(...page.folds);
    after = page.scannedTo;
  }
  return folds;
}

/** The statistics of PostgreSQL: none, or those of short logs. */
for (const known of ["nothing", "what was"] as const) {
  test(`postgres: reads cost what they give, with holes too, though it knows ${known} of its tables`, async () => {
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

    /** Uses a connection that ends, so that its reads are counted before anything is measured. */
    async function other(text: string): Promise<void> {
      const once = postgres(server.url, { max: 1, connection: { application_name: "taskcast" } });
      await once.unsafe(text);
      await once.end();
    }

    await withStore(async (shortTerm) => {
      const broadcast = new MemoryBroadcastProvider();
      const engine = new TaskEngine({ broadcast, shortTermStore: shortTerm });
      const ids = [...Object.keys(LOGS), ...Array.from({ length: 300 }, (_, i) => `short${i}`)];
      await Promise.all(ids.map((id) => engine.createTask({ id })));
      await Promise.all(ids.map((id) => engine.publishEvent(id, { type: "plain.1", data: 1 })));
      await engine.close();
      if (known === "what was") await other("ANALYZE");
      for (const id of Object.keys(LOGS)) await fill(shortTerm, id);
    });
    await other(`INSERT INTO taskcast_live_tasks SELECT 1000000 + n, 'x' || n, incarnation, version,
    status, type, tags, created_at, updated_at, completed_at, record, 0, 0, 0, 0
    FROM taskcast_live_tasks, generate_series(1, ${TASKS}) AS n WHERE id = 't'`);
    await other(`INSERT INTO taskcast_live_due SELECT task, 'wake', 1000 + task
    FROM taskcast_live_tasks WHERE task > 1000000`);

    await withStore(async () => {});
    const before = await rowsRead(sql);
    await withStore(async () => {});
    const opening = await rowsRead(sql) - before;

    /** Returns the rows that some work reads, without opening a store. */
    async function costOf(work: (store: ShortTermStore) => Promise<unknown>): Promise<number> {
      const before = await rowsRead(sql);
      await withStore(work);
      return await rowsRead(sql) - before - opening;
    }

    const limit = 50;
    const filter = { types: ["plain.1"] };
    const reads: Record<string, (store: ShortTermStore) => Promise<unknown>> = {};
    for (const id of Object.keys(LOGS)) {
      for (const after of [10, EVENTS - 100]) {
        for (const backward of [false, true]) {
          const query = { after, through: after + 90, limit, backward };
          const what = `of ${id} from ${after}${backward ? ", backward" : ""}`;
          reads[`a page ${what}`] = (store) => store.readLog(id, query);
          reads[`a filtered page ${what}`] = (store) => store.readLog(id, { ...query, filter });
          reads[`a plain page ${what}`] = (store) =>
            store.readLog(id, { ...query, standalone: true });
        }
        const open = { after, limit };
        reads[`an open page of ${id} from ${after}`] = (store) => store.readLog(id, open);
        reads[`an open filtered page of ${id} from ${after}`] = (store) =>
          store.readLog(id, { ...open, filter });
        reads[`a count of ${id} to ${after}`] = (store) => store.countMatches(id, filter, [after]);
      }
      const newest = { after: -1, limit, backward: true };
      reads[`the newest page of ${id}`] = (store) => store.readLog(id, newest);
      reads[`the view of ${id}`] = (store) => store.readFolds(id, { after: -1, limit: 99 });
    }
    const all = { after: -1, limit: 5_000 };
    reads["all that is left"] = (store) => store.readLog("few", all);
    reads["all that is left, backward"] = (store) =>
      store.readLog("few", { ...all, backward: true });
    reads["all that is left by a filter"] = (store) => store.readLog("few", { ...all, filter });
    reads["all that is left and plain"] = (store) =>
      store.readLog("few", { ...all, standalone: true });
    reads["due work"] = (store) => store.due(2_000_000, limit);
    const dear: string[] = [];
    const note = (what: string, cost: number, most: number) => {
      if (cost > most) dear.push(`${what}: ${cost} rows`);
    };
    for (const id of ["comb", "few"]) {
      let removed = 0;
      const cost = await costOf(async (store) => removed = await trim(store, id));
      note(`removing ${removed} events of ${id}`, cost, 10 * removed);
    }
    for (const [what, read] of Object.entries(reads)) {
      // The first reader passes over freshly removed rows and marks them for the others.
      await withStore(read);
      note(what, await costOf(read), 1_000);
    }
    assert.deepEqual(dear, []);
    await sql.end();
  });
}

test("postgres: a late join costs each series as much, however many there are, and however many events each has", async () => {
  await using server = await startPostgres({ args: ["-c", "autovacuum=off"] });
  const sql = postgres(server.url, { max: 1, connection: { application_name: "test" } });
  async function withStore(work: (store: ShortTermStore) => Promise<unknown>): Promise<void> {
    const options = { url: server.url, maxConnections: 1 };
    const { broadcast, shortTerm } = await createPostgresAdapters(options);
    await work(shortTerm);
    await shortTerm.close();
    await broadcast.close();
  }
  const tasks = {
    many: { series: 4_000 },
    more: { series: 8_000 },
    thin: { series: 4_000, others: 8 },
    thinner: { series: 8_000, others: 8 },
  };
  await withStore(async (store) => {
    const engine = new TaskEngine({
      broadcast: new MemoryBroadcastProvider(),
      shortTermStore: store,
      options: { sweepMs: 0 },
    });
    for (const [id, log] of Object.entries(tasks)) {
      await engine.createTask({ id });
      await fillSeries(store, id, log);
    }
    await engine.close();
  });
  for (const id of ["many", "more", "thin", "thinner"] as const) {
    const { series } = tasks[id];
    const before = await rowsRead(sql);
    await withStore(async (store) => {
      assert.equal((await readFolds(store, id, 128)).length, series);
    });
    const cost = (await rowsRead(sql) - before) / series;
    assert(cost < 25, `${cost} rows for each of ${series} series`);
  }
  // In pages and at once they are the same, even where events were removed.
  await withStore(async (store) => {
    for (const id of ["many", "thin"] as const) {
      const { series } = tasks[id];
      const whole = await readFolds(store, id, series);
      assert.deepEqual(await readFolds(store, id, 128), whole);
      assert.deepEqual(whole.map(({ text }) => text), Array(series).fill("aa"));
      const { incarnation } = (await store.getTask(id))!.record;
      const indexes = whole.slice(1_000, 1_100).map(({ newest }) => newest.index);
      assert.equal(await store.trimLog(id, incarnation, { indexes, series: [] }), 100);
      assert.deepEqual(await readFolds(store, id, 128), whole);
    }
  });
  await sql.end();
});
