import assert from "node:assert/strict";
import { TaskcastError, TaskEngine } from "@taskcast/core";
import { until } from "../../../testing/sse/sse.ts";
import { FileGuard } from "../connection/file_guard.ts";
import { createSqliteAdapters } from "../mod.ts";

/** Returns a file system of two files in a folder, and the number of requests to it. */
function fileSystem(changedMs = 0) {
  const stats = new Map([
    ["/d", { dev: 1, ino: 1, mtimeMs: changedMs }],
    ["/d/a", { dev: 1, ino: 2, mtimeMs: 0 }],
    ["/d/a-wal", { dev: 1, ino: 3, mtimeMs: 0 }],
  ]);
  const asked: string[] = [];
  const stat = (path: string) => {
    asked.push(path);
    return stats.get(path);
  };
  return { stats, asked, guard: () => new FileGuard(["/d/a", "/d/a-wal"], stat) };
}

Deno.test("FileGuard: a look asks about the folder only, when nothing in it has changed for long", () => {
  const { asked, guard } = fileSystem();
  const files = guard();
  files.check();
  asked.length = 0;
  for (let i = 0; i < 5; i++) files.check();
  assert.deepEqual(asked, Array.from({ length: 5 }, () => "/d"));
});

Deno.test("FileGuard: as long as a change could have the same time, a look asks about the files", () => {
  const { stats, guard } = fileSystem(Date.now());
  const files = guard();
  files.check();
  stats.delete("/d/a");
  assert.throws(() => files.check(), /its file was removed or moved/);
});

Deno.test("FileGuard: a folder that changed has its files looked at", () => {
  const cases: [change: (files: Map<string, unknown>) => void, message: RegExp | undefined][] = [
    [() => {}, undefined],
    [(files) => files.delete("/d/a"), /its file was removed or moved/],
    [(files) => files.set("/d/a", { dev: 1, ino: 9, mtimeMs: 0 }), /its file was replaced/],
    [(files) => files.set("/d/a", { dev: 2, ino: 2, mtimeMs: 0 }), /its file was replaced/],
    [(files) => files.delete("/d/a-wal"), /that ends in -wal was removed or moved/],
  ];
  for (const [change, message] of cases) {
    const { stats, guard } = fileSystem();
    const files = guard();
    files.check();
    stats.set("/d", { dev: 1, ino: 1, mtimeMs: 5 });
    change(stats);
    if (message === undefined) files.check();
    else assert.throws(() => files.check(), message);
  }
});

Deno.test("FileGuard: files without inode numbers, and files that cannot be inspected, are accepted", () => {
  let ino = 0;
  const files = new FileGuard(["/d/a"], () => ({ dev: 1, ino, mtimeMs: 0 }));
  ino = 5;
  files.checkEach();
  new FileGuard(["/d/a"], () => {
    throw new Error("not allowed");
  }).checkEach();
});

/** Events that may happen to the files of an open database, each with its reversal. */
const EVENTS: Record<
  string,
  [happen: (path: string) => Promise<void>, undo?: (path: string) => Promise<void>]
> = {
  "its file is removed": [(path) => Deno.remove(path)],
  "its file is moved": [
    (path) => Deno.rename(path, `${path}.old`),
    (path) => Deno.rename(`${path}.old`, path),
  ],
  "its file is replaced": [async (path) => {
    await Deno.copyFile(path, `${path}.copy`);
    await Deno.rename(`${path}.copy`, path);
  }],
  "its file is removed and another is there": [async (path) => {
    await Deno.copyFile(path, `${path}.copy`);
    await Deno.remove(path);
    await Deno.copyFile(`${path}.copy`, path);
  }],
  "its write-ahead log is removed": [(path) => Deno.remove(`${path}-wal`)],
  "its index of the log is removed": [(path) => Deno.remove(`${path}-shm`)],
  "its folder is moved": [
    (path) => Deno.rename(path.slice(0, -"/tasks.db".length), `${path.slice(0, -9)}.old`),
    (path) => Deno.rename(`${path.slice(0, -9)}.old`, path.slice(0, -"/tasks.db".length)),
  ],
};

for (const [what, [happen, undo]] of Object.entries(EVENTS)) {
  Deno.test(`sqlite: ${what}: nothing is acknowledged or read from then on, and check says why`, async () => {
    const root = await Deno.makeTempDir({ prefix: "taskcast-sqlite-" });
    const path = `${root}/data/tasks.db`;
    await Deno.mkdir(`${root}/data`);
    const { broadcast, shortTerm } = createSqliteAdapters({ path });
    const engine = new TaskEngine({
      broadcast,
      shortTermStore: shortTerm,
      options: { sweepMs: 0 },
      hooks: { onUnhandledError: () => {} },
    });
    await engine.createTask({ id: "t" });
    assert.equal(await shortTerm.check(), undefined);
    await happen(path);
    const isLost = (error: unknown) =>
      error instanceof TaskcastError && error.code === "STORE_UNAVAILABLE" &&
      /(removed or moved|replaced by another) while it was open/.test(error.message);
    const publish = () => engine.publishEvent("t", { type: "n", data: 0 });
    const results = await Promise.allSettled([publish(), publish(), engine.createTask({})]);
    for (const result of results) {
      assert(result.status === "rejected" && isLost(result.reason), JSON.stringify(result));
    }
    assert.equal((await shortTerm.check())?.status, "unavailable");
    await assert.rejects(shortTerm.getTask("t"), isLost);
    if (undo !== undefined) {
      await undo(path);
      await publish();
      assert.equal(await shortTerm.check(), undefined);
    }
    await engine.close();
    await shortTerm.close();
    await broadcast.close();
    await Deno.remove(root, { recursive: true });
  });
}

Deno.test("sqlite: a read is refused within a moment, too", async () => {
  const root = await Deno.makeTempDir({ prefix: "taskcast-sqlite-" });
  const { broadcast, shortTerm } = createSqliteAdapters({ path: `${root}/tasks.db` });
  await shortTerm.getTask("t");
  await Deno.remove(`${root}/tasks.db`);
  await until(() => shortTerm.getTask("t").then(() => false, () => true), "it is refused");
  await shortTerm.close();
  await broadcast.close();
  await Deno.remove(root, { recursive: true });
});

Deno.test("sqlite: a link that leads to another database by now is noticed", async () => {
  const root = await Deno.makeTempDir({ prefix: "taskcast-sqlite-" });
  for (const name of ["a.db", "b.db"]) {
    const { broadcast, shortTerm } = createSqliteAdapters({ path: `${root}/${name}` });
    await shortTerm.close();
    await broadcast.close();
  }
  await Deno.symlink(`${root}/a.db`, `${root}/tasks.db`);
  const { broadcast, shortTerm } = createSqliteAdapters({ path: `${root}/tasks.db` });
  assert.equal(await shortTerm.check(), undefined);
  await Deno.symlink(`${root}/b.db`, `${root}/new`);
  await Deno.rename(`${root}/new`, `${root}/tasks.db`);
  assert.match((await shortTerm.check())!.message, /replaced by another/);
  await shortTerm.close();
  await broadcast.close();
  await Deno.remove(root, { recursive: true });
});

Deno.test("sqlite: what was acknowledged before its write-ahead log was removed is saved by the end", async () => {
  const root = await Deno.makeTempDir({ prefix: "taskcast-sqlite-" });
  const path = `${root}/tasks.db`;
  const first = createSqliteAdapters({ path });
  const engine = new TaskEngine({ ...first, shortTermStore: first.shortTerm });
  await engine.createTask({ id: "t" });
  await Deno.remove(`${path}-wal`);
  await assert.rejects(engine.createTask({ id: "u" }), TaskcastError);
  await engine.close();
  await first.shortTerm.close();
  await first.broadcast.close();
  const { broadcast, shortTerm } = createSqliteAdapters({ path });
  assert.equal((await shortTerm.getTask("t"))?.record.task.id, "t");
  await shortTerm.close();
  await broadcast.close();
  await Deno.remove(root, { recursive: true });
});
