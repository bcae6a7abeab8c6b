import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { Commit, ShortTermStore, TaskRecord } from "@taskcast/core/adapter";
import { createSqliteAdapters } from "../mod.ts";
import { blockOf, eventKey, INDEXES, TASK_NUMBERS } from "../rows/tables.ts";

const INCARNATION = "0123abcd";

function recordOf(id: string, version: number): TaskRecord {
  return {
    task: { id, status: "running", createdAt: 5, updatedAt: 5 },
    incarnation: INCARNATION,
    version,
  };
}

/**
 * Returns a commit of one event: it creates the task, changes its status, or is published to it.
 */
function commitOf(id: string, as: "created" | "changed" | "published"): Commit {
  const events = [{ type: as, level: "info", entropy: 0, data: "1" }] as const;
  const bounds = { nowMs: 5, maxEvents: Infinity, maxBytes: Infinity };
  const common = { taskId: id, events, ...bounds };
  if (as === "published") return { ...common, expect: "live" };
  if (as === "created") return { ...common, expect: "absent", record: recordOf(id, 1) };
  return { ...common, expect: { version: 1, incarnation: INCARNATION }, record: recordOf(id, 1) };
}

/** Opens a file with three tasks of one event each, whose numbers are consecutive. */
async function open(): Promise<{ database: DatabaseSync; store: ShortTermStore }> {
  const database = new DatabaseSync(":memory:");
  const { shortTerm: store } = createSqliteAdapters({ database });
  for (const id of ["before", "full", "behind"]) {
    assert((await store.commit(commitOf(id, "created"))).ok);
  }
  return { database, store };
}

/** Gives the newest event an index, as if all before it had been appended. */
function appendAt(database: DatabaseSync, id: string, index: number): void {
  database.prepare(
    "INSERT INTO events (event, timestamp, entropy, class, place, bytes, data) " +
      `SELECT ${eventKey("task", "?")}, 5, 0, 0, ?, ?, '1' FROM tasks WHERE id = ?`,
  ).run(index, index, index + 1, id);
  database.prepare("INSERT INTO class_blocks SELECT task, 0, ? FROM tasks WHERE id = ?")
    .run(blockOf(index), id);
}

async function indexesOf(store: ShortTermStore, id: string): Promise<number[] | undefined> {
  const page = await store.readLog(id, { after: -1, limit: 9 });
  return page?.events.map(({ index }) => index);
}

Deno.test("sqlite: a log as long as a file can keep it is full, and its neighbours are not touched", async () => {
  const { database, store } = await open();
  const last = INDEXES - 1;
  const room = 2 ** 16;
  appendAt(database, "full", last - room);
  const refused = await store.commit(commitOf("full", "published"));
  assert(!refused.ok && refused.refusal.code === "TASK_FULL");
  const changed = await store.commit(commitOf("full", "changed"));
  assert(changed.ok && changed.events[0]!.index === last - room + 1);
  appendAt(database, "full", last);
  const before = await store.getTask("full");
  await assert.rejects(store.commit(commitOf("full", "changed")), { code: "TASK_FULL" });
  assert.deepEqual(await store.getTask("full"), before);
  const indexes = [0, last - room, last - room + 1, last];
  assert.deepEqual(await indexesOf(store, "full"), indexes);
  const filter = { types: ["created"] };
  assert.deepEqual(await store.countMatches("full", filter, [last, last + 1]), [last, last + 1]);
  const backward = { after: 0, limit: 1, backward: true };
  assert.equal((await store.readLog("full", backward))!.events[0]!.index, last);
  for (const id of ["before", "behind"]) assert.deepEqual(await indexesOf(store, id), [0]);
  assert.equal(
    await store.trimLog("full", INCARNATION, { indexes: [0, last - room], series: [] }),
    2,
  );
  assert.deepEqual(await indexesOf(store, "full"), indexes.slice(2));
  assert.equal(await store.deleteTask("full"), true);
  for (const id of ["before", "behind"]) assert.deepEqual(await indexesOf(store, id), [0]);
  await store.close();
});

Deno.test("sqlite: the last number of a task is as good as the first, and then the file is full", async () => {
  const { database, store } = await open();
  database.prepare("UPDATE sqlite_sequence SET seq = ? WHERE name = 'tasks'").run(TASK_NUMBERS - 2);
  assert((await store.commit(commitOf("last", "created"))).ok);
  const number = database.prepare("SELECT task FROM tasks WHERE id = 'last'").get();
  assert.deepEqual({ ...number }, { task: TASK_NUMBERS - 1 });
  assert((await store.commit(commitOf("last", "published"))).ok);
  assert.deepEqual(await indexesOf(store, "last"), [0, 1]);
  await assert.rejects(store.commit(commitOf("more", "created")), { code: "STORE_UNAVAILABLE" });
  assert.equal(await store.getTask("more"), undefined);
  assert((await store.commit(commitOf("last", "published"))).ok);
  assert.equal(await store.deleteTask("last"), true);
  assert.equal(await indexesOf(store, "last"), undefined);
  assert.deepEqual(await indexesOf(store, "behind"), [0]);
  await store.close();
});
