import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { LongTermStore, ShortTermStore, TaskRecord } from "@taskcast/core/adapter";
import { withFile } from "../../../testing/temp_file.ts";
import { createSqliteAdapters } from "../mod.ts";
import { migrate } from "../schema.ts";

/** The version before events could be trimmed. */
const UNTRIMMED = 3;

/** The version before the newest event defined the end of a log. */
const COUNTED = 4;

const INCARNATION = "0123abcd";

const RECORD: TaskRecord = {
  task: { id: "t", status: "completed", createdAt: 5, updatedAt: 9, type: "import", tags: ["a"] },
  incarnation: INCARNATION,
  version: 2,
};

/** The events of the task: of two types in turn, two in series, and the end. */
const EVENTS: readonly { type: string; data: string; series?: string }[] = [
  { type: "odd", data: '"0"' },
  { type: "even", data: '"1"', series: "kept" },
  { type: "odd", data: '{"delta":"2"}', series: "text" },
  { type: "even", data: '"3"' },
  { type: "odd", data: '{"delta":"4"}', series: "text" },
  { type: "end", data: '"5"' },
];

/** Writes the task as the earlier version did. */
function fill(database: DatabaseSync, prefix: string): void {
  const insert = (table: string, row: Record<string, string | number | null>) => {
    const names = Object.keys(row);
    database.prepare(
      `INSERT INTO ${prefix}${table} (${names.join(", ")}) VALUES (${names.map(() => "?")})`,
    ).run(...Object.values(row));
  };
  const task = 7;
  insert("tasks", {
    task,
    id: "t",
    incarnation: INCARNATION,
    version: 2,
    status: "completed",
    type: "import",
    created_at: 5,
    record: JSON.stringify(RECORD),
    length: EVENTS.length,
    data_bytes: EVENTS.reduce((sum, { data }) => sum + data.length, 0),
    timestamp: 9,
  });
  insert("tags", { tag: "a", task });
  const classes: { type: string; plain: number; count: number }[] = [];
  for (const [idx, { type, data, series = null }] of EVENTS.entries()) {
    const plain = Number(series !== "text");
    let id = classes.findIndex((known) => known.type === type && known.plain === plain);
    if (id === -1) id = classes.push({ type, plain, count: 0 }) - 1;
    const place = classes[id]!.count++;
    insert("events", { task, idx, timestamp: 9, entropy: idx, class: id, place, data, series });
  }
  for (const [id, row] of classes.entries()) {
    insert("classes", { task, class: id, level: "info", ...row });
  }
  const row = { task, acc_field: null, is_text: 0, parts: 0, part_bytes: 0, classes: "[]" };
  insert("series", { ...row, series: "kept", mode: "keep-all", newest: 1 });
  insert("series", {
    ...row,
    series: "text",
    mode: "accumulate",
    acc_field: "delta",
    newest: 4,
    is_text: 1,
    parts: 1,
    part_bytes: 2,
    classes: '[{"type":"odd","level":"info"}]',
  });
  insert("series_parts", { task, series: "text", part: 0, text: "24" });
  if (prefix !== "") return;
  insert("producers", { task, producer: "p", epoch: 0, next_seq: 1 });
  insert("producer_events", { task, producer: "p", seq: 0, idx: 3 });
  insert("archive_work", { work: "archive", task, at_ms: 11 });
}

async function check(store: ShortTermStore | LongTermStore): Promise<void> {
  assert.deepEqual(await store.getTask("t"), { record: RECORD, length: 6 });
  const odd = { types: ["odd"] };
  assert.deepEqual(await store.countMatches("t", odd, [0, 1, 2, 3, 6]), [0, 1, 1, 2, 3]);
  assert.equal(await store.trimLog("t", INCARNATION, { indexes: [0, 1, 2], series: [] }), 3);
  assert.equal((await store.getTask("t"))!.trimmedThrough, 2);
  assert.deepEqual(await store.countMatches("t", odd, [3, 4, 5, 6]), [2, 2, 3, 3]);
  const page = (await store.readLog("t", { after: -1, limit: 9 }))!;
  assert.deepEqual(page.events.map(({ index }) => index), [3, 4, 5]);
  assert.equal((await store.readFolds("t", { after: -1, limit: 99 }))!.folds[0]!.text, "24");
  assert.equal(await store.trimLog("t", INCARNATION, { indexes: [4], series: ["text"] }), 1);
  assert.deepEqual((await store.readFolds("t", { after: -1, limit: 99 }))!.folds, []);
  assert.deepEqual(await store.countMatches("t", odd, [3, 5, 6]), [2, 3, 3]);
  assert.equal(await store.schedule("t", "clean", 5, { incarnation: INCARNATION }), true);
  const claim = { nowMs: 5, untilMs: 6, limit: 1 };
  assert.deepEqual((await store.claim("clean", claim)).taskIds, ["t"]);
}

Deno.test("sqlite: a file of the version before trimming is migrated and keeps everything", async () => {
  await withFile(async (path) => {
    const database = new DatabaseSync(path);
    migrate(database, UNTRIMMED);
    assert.deepEqual(
      { ...database.prepare("PRAGMA user_version").get() },
      { user_version: UNTRIMMED },
    );
    fill(database, "");
    fill(database, "archived_");
    database.close();
    const { shortTerm, longTerm } = createSqliteAdapters({ path });
    const sent = { type: "even", level: "info", entropy: 0, data: "3" } as const;
    const repeat = () =>
      shortTerm.commit({
        taskId: "t",
        expect: "live",
        events: [{ ...sent, producer: { id: "p", epoch: 0, seq: 0 } }],
        nowMs: 9,
        maxEvents: 99,
        maxBytes: 999,
      });
    const repeated = await repeat();
    assert(repeated.ok && repeated.events[0]!.index === 3);
    await check(shortTerm);
    await check(longTerm);
    const archive = await shortTerm.claim("archive", { nowMs: 11, untilMs: 12, limit: 1 });
    assert.deepEqual(archive.taskIds, ["t"]);
    assert.equal(await shortTerm.trimLog("t", INCARNATION, { indexes: [3], series: [] }), 1);
    const refused = await repeat();
    assert(!refused.ok && refused.refusal.code === "TERMINAL");
    await shortTerm.close();
    await longTerm.close();
    createSqliteAdapters({ path }).shortTerm.close(); // The second run changes nothing.
  });
});

Deno.test("sqlite: an older series whose events were not counted is kept when it continues", async () => {
  await withFile(async (path) => {
    const database = new DatabaseSync(path);
    migrate(database, UNTRIMMED);
    fill(database, "archived_");
    database.close();
    const { longTerm } = createSqliteAdapters({ path });
    const event = { timestamp: 9, entropy: 0, type: "even", level: "info", data: "6" } as const;
    const kept = { seriesId: "kept", seriesMode: "keep-all" } as const;
    const events = [{ ...event, ...kept, index: 6 }, { ...event, index: 7 }];
    await longTerm.archive([{ record: RECORD, events }]);
    assert.equal(await longTerm.trimLog("t", INCARNATION, { indexes: [6], series: [] }), 1);
    const page = (await longTerm.readLog("t", { after: 0, limit: 1 }))!;
    assert.equal(page.events[0]!.seriesId, "kept");
    await longTerm.close();
  });
});

Deno.test("sqlite: a log of an older layout without its end in the newest event continues, trimmed or not", async () => {
  await withFile(async (path) => {
    const database = new DatabaseSync(path);
    migrate(database, COUNTED);
    const record: TaskRecord = {
      task: { id: "t", status: "running", createdAt: 5, updatedAt: 9 },
      incarnation: INCARNATION,
      version: 1,
    };
    // Forty events of two alternating types and ten characters each, of which the first twenty and
    // one in between are trimmed.
    const left = (idx: number) => idx >= 20 && idx !== 31;
    database.prepare(
      "INSERT INTO tasks (task, id, incarnation, version, status, type, created_at, record, " +
        "length, data_bytes, timestamp, trimmed_through) " +
        "VALUES (7, 't', ?, 1, 'running', '', 5, ?, 40, 190, 9, 31)",
    ).run(INCARNATION, JSON.stringify(record));
    for (const [id, type] of ["even", "odd"].entries()) {
      database.prepare(
        "INSERT INTO classes (task, class, type, level, plain, count) VALUES (7, ?, ?, 'info', 1, 20)",
      ).run(id, type);
    }
    for (let idx = 0; idx < 40; idx++) {
      if (!left(idx)) continue;
      database.prepare(
        "INSERT INTO events (task, idx, timestamp, entropy, class, place, data) " +
          "VALUES (7, ?, 9, 0, ?, ?, '\"12345678\"')",
      ).run(idx, idx % 2, Math.floor(idx / 2));
    }
    database.exec("INSERT INTO trimmed (task, idx, class, place) VALUES (7, 31, 1, 15)");
    database.close();

    const { shortTerm } = createSqliteAdapters({ path });
    const types = ["odd"];
    assert.deepEqual(await shortTerm.getTask("t"), { record, length: 40, trimmedThrough: 31 });
    assert.deepEqual(await shortTerm.countMatches("t", { types }, [20, 31, 32, 39, 40]), [
      10,
      15,
      16,
      19,
      20,
    ]);
    const publish = (maxBytes: number) =>
      shortTerm.commit({
        taskId: "t",
        expect: "live",
        events: [{ type: "odd", level: "info", entropy: 0, data: "1" }],
        nowMs: 3, // Timestamps never go back.
        maxEvents: 99,
        maxBytes,
      });
    const full = await publish(190);
    assert(!full.ok && full.refusal.code === "TASK_FULL");
    const published = await publish(191);
    assert(published.ok && published.length === 41 && published.events[0]!.timestamp === 9);
    assert.deepEqual(await shortTerm.countMatches("t", { types }, [40, 41]), [20, 21]);
    for (const backward of [false, true]) {
      const query = { after: 22, limit: 99, filter: { types }, backward };
      const { events } = (await shortTerm.readLog("t", query))!;
      const indexes = [23, 25, 27, 29, 33, 35, 37, 39, 40];
      assert.deepEqual(
        events.map(({ index }) => index),
        backward ? indexes.toReversed() : indexes,
      );
    }
    await shortTerm.close();
  });
});

// A full disk ends the transaction by itself; a statement in between that ends it stands for it.
Deno.test("sqlite: a disk that is full during a migration is named in the error", () => {
  const database = new DatabaseSync(":memory:");
  migrate(database, COUNTED);
  const full = {
    exec(sql: string) {
      if (!sql.includes("class_blocks")) return database.exec(sql);
      database.exec("CREATE TABLE half_done (n)");
      database.exec("ROLLBACK");
      throw new Error("database or disk is full");
    },
    prepare: (sql: string) => database.prepare(sql),
    close() {},
  };
  assert.throws(() => migrate(full), /disk is full/);
  assert.deepEqual({ ...database.prepare("PRAGMA user_version").get() }, { user_version: COUNTED });
  migrate(database);
  database.close();
});
