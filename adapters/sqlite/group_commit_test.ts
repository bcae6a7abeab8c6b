import { DatabaseSync } from "node:sqlite";
import assert from "node:assert/strict";
import { GroupCommit } from "./group_commit.ts";

/** Sets up a table of unique names, and writes that add some. */
function setUp() {
  const database = new DatabaseSync(":memory:");
  database.exec("CREATE TABLE names (name TEXT PRIMARY KEY)");
  const statements: string[] = [];
  const hooks = { beforeExec: (_sql: string): void => {}, afterCommit: (): void => {} };
  const group = new GroupCommit(
    {
      exec(sql) {
        statements.push(sql);
        hooks.beforeExec(sql);
        database.exec(sql);
      },
      prepare: () => assert.fail("it prepares nothing"),
      close() {},
    },
    { checkForChanges: () => {}, changed: () => {} },
    { check: () => hooks.afterCommit() },
  );
  const insert = database.prepare("INSERT INTO names (name) VALUES (?)");
  const add = (...names: string[]) =>
    group.write(() => {
      for (const name of names) insert.run(name);
      return names.length;
    });
  const stored = () =>
    database.prepare("SELECT name FROM names ORDER BY name").all().map(({ name }) => name);
  return { database, group, statements, hooks, add, stored };
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

// These errors may end the transaction (lang_transaction.html), in various ways; a statement in
// between that ends it stands for all of them.
Deno.test("GroupCommit: writes that were reported as failed are not stored when an error ends the transaction", async () => {
  const { database, group, add, stored } = setUp();
  const end = () =>
    group.write(() => {
      database.exec("INSERT INTO names (name) VALUES ('undone'); ROLLBACK");
      throw new Error("disk I/O error");
    });
  const results = await Promise.allSettled([add("a"), end(), add("b"), end(), add("c")]);
  assert.deepEqual(results.map(({ status }) => status), [
    "fulfilled",
    "rejected",
    "fulfilled",
    "rejected",
    "fulfilled",
  ]);
  assert.deepEqual(stored(), ["a", "b", "c"]);
  database.close();
});

Deno.test("GroupCommit: a disk that is full at the COMMIT fails the writes, and nothing is stored", async () => {
  const { database, hooks, add, stored } = setUp();
  hooks.beforeExec = (sql) => {
    if (sql === "COMMIT") throw new Error("database or disk is full");
  };
  const results = await Promise.allSettled([add("a"), add("b")]);
  assert.deepEqual(results.map(({ status }) => status), ["rejected", "rejected"]);
  hooks.beforeExec = () => {};
  await add("c");
  assert.deepEqual(stored(), ["c"]);
  database.close();
});

Deno.test("GroupCommit: writes of a turn stay in order when another process comes between them", async () => {
  const { database, group, statements, hooks, stored, add } = setUp();
  await add("taken");
  statements.length = 0;
  hooks.beforeExec = (sql) => {
    // The first transaction fails by its own write; then the other process is faster, once.
    const begins = statements.filter((each) => each === "BEGIN IMMEDIATE").length;
    if (sql === "BEGIN IMMEDIATE" && begins === 2) throw new Error("database is locked");
  };
  const order: string[] = [];
  const note = (name: string) => group.write(() => void order.push(name));
  const failed = assert.rejects(add("taken"), /UNIQUE/);
  await Promise.all([note("a"), note("b"), failed, note("c")]);
  assert.deepEqual(order.slice(-3), ["a", "b", "c"]);
  assert.deepEqual(stored(), ["taken"]);
  database.close();
});

Deno.test("GroupCommit: what went into a file that has no name any more is not acknowledged", async () => {
  const { database, hooks, add } = setUp();
  hooks.afterCommit = () => {
    throw new Error("the file is gone");
  };
  for (const result of await Promise.allSettled([add("a"), add("b")])) {
    assert.equal(result.status, "rejected");
    assert.match(String(result.reason), /the file is gone/);
  }
  database.close();
});
