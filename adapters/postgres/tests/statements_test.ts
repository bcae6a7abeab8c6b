import assert from "node:assert/strict";
import postgres from "postgres";
import type { EventInput } from "@taskcast/core";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import { hasPostgres, startPostgres } from "../../../testing/databases/postgres_server.ts";
import { until } from "../../../testing/sse/sse.ts";
import { createPostgresAdapter, createPostgresAdapters } from "../mod.ts";

// `conformance_test.ts` reports the skip.
const test = await hasPostgres() ? Deno.test : () => {};

/** PostgreSQL logs each statement that it runs to a file. */
const LOGGED = [
  "logging_collector=on",
  "log_statement=all",
  "log_directory=statements",
  "log_filename=all.log",
  "log_line_prefix=%a ",
].flatMap((setting) => ["-c", setting]);

const PLAIN: EventInput = { type: "n", data: 0 };
const TOKEN: EventInput = {
  type: "llm.delta",
  data: { delta: "x" },
  seriesId: "s",
  seriesMode: "accumulate",
};
const OPTIONS = { sweepMs: 0 }; // Sweeps would be counted, too.

function hundred(event: EventInput): EventInput[] {
  return Array.from({ length: 100 }, () => event);
}

test("postgres: statements of a publish, of a page, and of a part of the archive", async () => {
  const folder = await Deno.makeTempDir({ prefix: "taskcast-postgres-" });
  try {
    await using server = await startPostgres({ folder, args: LOGGED });
    const admin = postgres(server.url, { max: 1, connection: { application_name: "admin" } });
    const file = `${folder}/data/statements/all.log`;
    let marks = 0;

    const logged = async (): Promise<string> => {
      const mark = `mark ${++marks}`;
      await admin.unsafe(`SELECT '${mark}'`);
      let text = "";
      await until(
        async () => (text = await Deno.readTextFile(file)).includes(mark),
        "it is written",
      );
      return text;
    };

    const statements = async (work: () => Promise<unknown>): Promise<string[]> => {
      const before = await logged();
      await work();
      const found = (await logged()).slice(before.length);
      const ours = [...found.matchAll(/^taskcast LOG: {2}(?:statement|execute [^:]*): (.*)/gm)]
        .map(([, text]) => text!);
      // Wake-ups are published later, a few milliseconds' worth together.
      return ours.filter((text) => !text.includes("pg_notify"))
        // It comes in one message with the check of the transaction.
        .map((text) => /; (COMMIT)$/.exec(text)?.[1] ?? text)
        .map((text) => /^SELECT (nextval|pg_advisory_xact_lock)|^\w+/.exec(text)![0].toUpperCase())
        .sort();
    };

    const { broadcast, shortTerm } = await createPostgresAdapters({ url: server.url });
    const engine = new TaskEngine({ broadcast, shortTermStore: shortTerm, options: OPTIONS });
    await engine.createTask({ id: "t" });
    await engine.publishEvents("t", [PLAIN, TOKEN]);

    // The lock, the task, the classes; the events, the classes (which may be new), the task.
    const transaction = ["BEGIN", "COMMIT", "SET"];
    const lock = "SELECT PG_ADVISORY_XACT_LOCK";
    const commit = [...transaction, "INSERT", "INSERT", "SELECT", lock, "SELECT", "UPDATE"].sort();
    assert.deepEqual(await statements(() => engine.publishEvent("t", PLAIN)), commit);
    assert.deepEqual(await statements(() => engine.publishEvents("t", hundred(PLAIN))), commit);
    // Plus, for series: reading and writing them, and their texts.
    const ofSeries = [...commit, "SELECT", "INSERT", "INSERT"].sort();
    assert.deepEqual(await statements(() => engine.publishEvents("t", hundred(TOKEN))), ofSeries);
    // Publishes of one turn share all of them.
    const turn = () => Promise.all(hundred(PLAIN).map((event) => engine.publishEvent("t", event)));
    assert.deepEqual(await statements(turn), commit);
    const page = () => shortTerm.readLog("t", { after: -1, limit: 100 });
    assert.deepEqual(await statements(page), ["WITH"]);
    await engine.close();
    await broadcast.close();

    const hot = new MemoryShortTermStore();
    const publisher = new TaskEngine({
      broadcast: new MemoryBroadcastProvider(),
      shortTermStore: hot,
      options: OPTIONS,
    });
    const ids = ["a", "b", "c"];
    const parts = await Promise.all(ids.map(async (id) => {
      await publisher.createTask({ id });
      await publisher.publishEvents(id, hundred(TOKEN));
      const { record } = (await hot.getTask(id))!;
      const { events } = (await hot.readLog(id, { after: -1, limit: 1_000 }))!;
      return { record, events: [...events] };
    }));
    const archive = await createPostgresAdapter({ url: server.url });
    const first = parts.map((part) => ({ ...part, events: part.events.splice(0, 50) }));
    await archive.archive(first);
    // Plus the deletions; however many tasks and events.
    const ofArchive = [...ofSeries, "SELECT", "SELECT NEXTVAL"].sort();
    assert.deepEqual(await statements(() => archive.archive(parts)), ofArchive);
    // The archive's position is read only for tasks it already has.
    const again = await statements(() => archive.archive(parts));
    assert.equal(again.filter((statement) => statement === "SELECT").length, 5);
    assert(!again.includes("INSERT"));
    await publisher.close();
    await archive.close();
    await shortTerm.close();
    await admin.end();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

test("postgres: publishing to many tasks at a time reads by keys, and looks through no table for it", async () => {
  await using server = await startPostgres({ args: ["-c", "autovacuum=off"] });
  const admin = postgres(server.url, { max: 1, connection: { application_name: "admin" } });

  /** Returns the scans of whole tables of tasks, once idle, so that all are counted. */
  async function scans(): Promise<Record<string, number>> {
    await until(async () => {
      const [row] = await admin<{ gone: boolean }[]>`SELECT count(*) = 0 AS gone
        FROM pg_stat_activity WHERE application_name = 'taskcast'`;
      return row!.gone;
    }, "its connections have ended");
    const rows = await admin<{ table: string; count: number }[]>`SELECT relname AS table,
      seq_scan::float8 AS count FROM pg_stat_user_tables WHERE relname <> 'taskcast_migrations'`;
    return Object.fromEntries(rows.map(({ table, count }) => [table, count]));
  }

  const ids = Array.from({ length: 32 }, (_, i) => `t${i}`);
  async function withEngine(work: (engine: TaskEngine) => Promise<unknown>): Promise<void> {
    const { broadcast, shortTerm } = await createPostgresAdapters({
      url: server.url,
      maxConnections: 1,
    });
    const engine = new TaskEngine({ broadcast, shortTermStore: shortTerm, options: OPTIONS });
    await work(engine);
    await engine.close();
    await broadcast.close();
    await shortTerm.close();
  }

  await withEngine((engine) => Promise.all(ids.map((id) => engine.createTask({ id }))));
  const before = await scans();
  // More often than PostgreSQL plans a statement for its values.
  await withEngine(async (engine) => {
    for (let i = 0; i < 20; i++) {
      await Promise.all(ids.map((taskId, at) => {
        const sent = { ...TOKEN, producerId: "p", producerSeq: i };
        const event = at % 2 === 0 ? PLAIN : sent;
        return engine.publishEvent(taskId, event);
      }));
    }
  });
  const { taskcast_live_tasks: ofTasks, ...others } = await scans();
  const { taskcast_live_tasks: ofTasksBefore, ...othersBefore } = before;
  assert.deepEqual(others, othersBefore);
  // The UPDATE of tasks is joined freely while there are few; opening the store scans, too.
  assert(ofTasks! - ofTasksBefore! <= 20 + 5, `${ofTasks! - ofTasksBefore!} scans of tasks`);
  await admin.end();
});
