import assert from "node:assert/strict";
import postgres from "postgres";
import type { EventInput } from "@taskcast/core";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import { hasPostgres, startPostgres } from "../../tests/support/postgres_server.ts";
import { until } from "../../tests/support/sse.ts";
import { createPostgresAdapter, createPostgresAdapters } from "./mod.ts";

// `postgres_test.ts` says that it is left out.
const test = await hasPostgres() ? Deno.test : () => {};

/** PostgreSQL writes each statement that it carries out into a file of its own. */
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
const OPTIONS = { sweepMs: 0 }; // Looking for due work would be counted, too.

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

    async function statements(work: () => Promise<unknown>): Promise<string[]> {
      const before = await logged();
      await work();
      const found = (await logged()).slice(before.length);
      const ours = [...found.matchAll(/^taskcast LOG: {2}(?:statement|execute [^:]*): (.*)/gm)]
        .map(([, text]) => text!);
      // Wake-ups are told later, those of a few milliseconds together.
      return ours.filter((text) => !text.includes("pg_notify"))
        .map((text) => /^SELECT (nextval|pg_advisory_xact_lock)|^\w+/.exec(text)![0].toUpperCase())
        .sort();
    }

    async function logged(): Promise<string> {
      const mark = `mark ${++marks}`;
      await admin.unsafe(`SELECT '${mark}'`);
      let text = "";
      await until(
        async () => (text = await Deno.readTextFile(file)).includes(mark),
        "it is written",
      );
      return text;
    }

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
    // And of series: what they are, read and written, and their texts.
    const ofSeries = [...commit, "SELECT", "INSERT", "INSERT"].sort();
    assert.deepEqual(await statements(() => engine.publishEvents("t", hundred(TOKEN))), ofSeries);
    // Those of one turn share all of them.
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
    // What was deleted, and where the archive is now, besides; however many tasks and events.
    const ofArchive = [...ofSeries, "SELECT", "SELECT", "SELECT NEXTVAL"].sort();
    assert.deepEqual(await statements(() => archive.archive(parts)), ofArchive);
    await publisher.close();
    await archive.close();
    await shortTerm.close();
    await admin.end();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
