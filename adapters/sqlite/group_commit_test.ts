import { DatabaseSync } from "node:sqlite";
import assert from "node:assert/strict";
import { GroupCommit } from "./group_commit.ts";

/** A table of names that are there once, and writes that add some. */
function setUp() {
  const database = new DatabaseSync(":memory:");
  database.exec("CREATE TABLE names (name TEXT PRIMARY KEY)");
  const statements: string[] = [];
  const group = new GroupCommit({
    exec(sql) {
      statements.push(sql);
      database.exec(sql);
    },
    prepare: () => assert.fail("it prepares nothing"),
    close() {},
  });
  const insert = database.prepare("INSERT INTO names (name) VALUES (?)");
  const add = (...names: string[]) =>
    group.write(() => {
      for (const name of names) insert.run(name);
      return names.length;
    });
  const stored = () =>
    database.prepare("SELECT name FROM names ORDER BY name").all().map(({ name }) => name);
  return { database, statements, add, stored };
}

Deno.test("GroupCommit: writes of a turn are one transaction, without savepoints", async () => {
  const { database, statements, add, stored } = setUp();
  assert.deepEqual(await Promise.all([add("a"), add("b", "c")]), [1, 2]);
  assert.deepEqual(statements, ["BEGIN IMMEDIATE", "COMMIT"]);
  assert.deepEqual(stored(), ["a", "b", "c"]);
  database.close();
});

Deno.test("GroupCommit: a write that fails undoes all of itself, and nothing of others", async () => {
  const { database, add, stored } = setUp();
  const results = await Promise.allSettled([add("a"), add("b", "a"), add("c"), add("c"), add("d")]);
  assert.deepEqual(
    results.map((result) => result.status === "fulfilled" ? result.value : "failed"),
    [1, "failed", 1, "failed", 1],
  );
  const [failed] = results.filter((result) => result.status === "rejected");
  assert.match(failed!.reason.message, /UNIQUE/);
  assert.deepEqual(stored(), ["a", "c", "d"]);
  await add("e");
  assert.deepEqual(stored(), ["a", "c", "d", "e"]);
  database.close();
});
