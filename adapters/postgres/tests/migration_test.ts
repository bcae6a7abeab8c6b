import assert from "node:assert/strict";
import postgres from "postgres";
import { newSchema } from "../../../testing/databases/postgres_schema.ts";
import { postgresUrl } from "../../../testing/databases/postgres_server.ts";
import { createPostgresAdapter, createPostgresAdapters, migratePostgres } from "../mod.ts";

const url = (await postgresUrl())!;
const test = url === undefined ? () => {} : Deno.test;

const INCARNATION = "0123abcd";

test("postgres: a database of version 2 is migrated and keeps everything", async () => {
  const database = await newSchema(url);
  const sql = postgres(database, { max: 1, onnotice: () => {} });
  await sql.unsafe(await Deno.readTextFile(new URL("testdata/version_2.sql", import.meta.url)));
  await sql.end();
  const { from, to } = await migratePostgres({ url: database });
  assert.equal(from, 2);
  assert(to > from);

  const options = { url: database, maxConnections: 2, autoMigrate: false };
  const { broadcast, shortTerm } = await createPostgresAdapters(options);
  const archive = await createPostgresAdapter(options);
  try {
    for (const store of [shortTerm, archive]) {
      const head = (await store.getTask("t"))!;
      assert.deepEqual([head.length, head.trimmedThrough], [9, undefined]);
      const page = (await store.readLog("t", { after: -1, limit: 99 }))!;
      assert.deepEqual(
        page.events.map(({ data }) => JSON.parse(data)),
        [{ delta: "0" }, 0, { delta: "1" }, 1, { delta: "2" }, 2, { delta: "3" }, 3, "end"],
      );
      assert.equal(await store.trimLog("t", INCARNATION, { indexes: [1, 5, 6], series: [] }), 3);
      assert.equal((await store.getTask("t"))!.trimmedThrough, 6);
      assert.deepEqual(await store.countMatches("t", { types: ["even"] }, [3, 7, 9]), [1, 2, 2]);
      assert.equal((await store.readFolds("t", { after: -1, limit: 99 }))!.folds[0]!.text, "0123");
      assert.equal(await store.schedule("t", "clean", 5, { incarnation: INCARNATION }), true);
      const claim = { nowMs: 5, untilMs: 9, limit: 1 };
      assert.deepEqual((await store.claim("clean", claim)).taskIds, ["t"]);
    }
  } finally {
    await Promise.all([shortTerm.close(), broadcast.close(), archive.close()]);
  }
});
