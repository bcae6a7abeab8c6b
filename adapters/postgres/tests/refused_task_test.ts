import assert from "node:assert/strict";
import postgres from "postgres";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import { hasPostgres, startPostgres } from "../../../testing/databases/postgres_server.ts";
import { until } from "../../../testing/sse/sse.ts";
import { createPostgresAdapter, createPostgresAdapters } from "../mod.ts";

// Tests a database that refuses one task for good, by a trigger or a constraint.
// `conformance_test.ts` reports the skip.
const test = await hasPostgres() ? Deno.test : () => {};

/** Makes inserts into a table fail for the task named "broken". */
function refuse(table: string, tasks: string, how: "trigger" | "check"): string {
  if (how === "check") return `ALTER TABLE ${tasks} ADD CHECK (id <> 'broken')`;
  return `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF (SELECT id FROM ${tasks} t WHERE t.task = NEW.task) = 'broken' THEN
        RAISE EXCEPTION 'not this one';
      END IF;
      RETURN NEW;
    END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION refuse()`;
}

test("postgres: publishes that share a transaction with one that a trigger refuses are stored", async () => {
  await using server = await startPostgres();
  const { broadcast, shortTerm } = await createPostgresAdapters({ url: server.url });
  const hooks = { onUnhandledError() {} };
  const engine = new TaskEngine({ broadcast, shortTermStore: shortTerm, hooks });
  const ids = ["a", "broken", "b", "c"];
  for (const id of ids) await engine.createTask({ id });
  const sql = postgres(server.url, { onnotice: () => {} });
  await sql.unsafe(refuse("taskcast_live_events", "taskcast_live_tasks", "trigger"));
  for (let i = 0; i < 5; i++) {
    const outcomes = await Promise.allSettled(
      ids.map((id) => engine.publishEvent(id, { type: "n", data: i })),
    );
    assert.deepEqual(outcomes.map(({ status }) => status), [
      "fulfilled",
      "rejected",
      "fulfilled",
      "fulfilled",
    ]);
  }
  for (const id of ids) {
    const { events } = await engine.getEvents(id);
    assert.deepEqual(events.map(({ data }) => data), id === "broken" ? [] : [0, 1, 2, 3, 4]);
  }
  await sql.end();
  await engine.close();
  await Promise.all([shortTerm.close(), broadcast.close()]);
});

for (const how of ["trigger", "check"] as const) {
  test(`postgres: an archive that refuses one task takes all others, and that one later: ${how}`, async () => {
    await using server = await startPostgres();
    const longTermStore = await createPostgresAdapter({ url: server.url });
    const sql = postgres(server.url, { onnotice: () => {} });
    await sql.unsafe(refuse("taskcast_events", "taskcast_tasks", how));
    const engine = new TaskEngine({
      broadcast: new MemoryBroadcastProvider(),
      shortTermStore: new MemoryShortTermStore(),
      longTermStore,
      options: { archiveDelayMs: 10 },
      hooks: { onUnhandledError() {} },
    });
    const ids = Array.from({ length: 40 }, (_, i) => i === 7 ? "broken" : `t${i}`);
    await Promise.all(ids.map((id) => engine.createTask({ id })));
    await Promise.all(ids.map((id) => engine.publishEvent(id, { type: "n", data: id })));
    const lengths = async () =>
      await Promise.all(ids.map(async (id) => (await longTermStore.getTask(id))?.length ?? 0));
    await until(
      async () => (await lengths()).every((length, i) => length === (ids[i] === "broken" ? 0 : 1)),
      "all others are archived",
    );
    await until(() => Promise.resolve(engine.setAside().archive?.count === 1), "it is set aside");
    const [task] = engine.setAside().archive!.tasks;
    assert.equal(task!.taskId, "broken");
    assert.match(task!.error, /PostgreSQL cannot store this/);
    assert.equal((await engine.check()).longTermStore!.ok, true);
    await sql.unsafe(
      how === "check"
        ? "ALTER TABLE taskcast_tasks DROP CONSTRAINT taskcast_tasks_id_check"
        : "DROP FUNCTION refuse CASCADE",
    );
    await until(async () => (await lengths()).every((length) => length === 1), "it is tried again");
    await until(() => Promise.resolve(engine.setAside().archive?.count === 0), "nothing is left");
    await engine.close();
    await sql.end();
    await longTermStore.close();
  });
}
