import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type {
  EventDraft,
  LogQuery,
  ShortTermStore,
  StoredEvent,
  TaskRecord,
} from "@taskcast/core/adapter";
import { MemoryShortTermStore } from "@taskcast/core";
import { seededRandom } from "../../../core/conformance/seeded_random.ts";
import { withFile } from "../../../testing/temp_file.ts";
import { createSqliteAdapters } from "../mod.ts";

const INCARNATION = "0123abcd";
const BOUNDS = { nowMs: 5, maxEvents: 1_000_000, maxBytes: 1_000_000_000 };

function recordOf(status: "running" | "completed", version: number): TaskRecord {
  return {
    task: { id: "t", status, createdAt: 5, updatedAt: 5 },
    incarnation: INCARNATION,
    version,
  };
}

function draftOf(index: number, changes: Partial<EventDraft> = {}): EventDraft {
  return { entropy: index, type: "n", level: "info", data: `${index}`, ...changes };
}

/** Creates a task with these events and one that ends it. */
async function fill(store: ShortTermStore, drafts: readonly EventDraft[]): Promise<void> {
  const commits = [
    { expect: "absent", record: recordOf("running", 1), events: [] },
    { expect: "live", events: drafts },
    {
      expect: { version: 1, incarnation: INCARNATION },
      record: recordOf("completed", 2),
      events: [draftOf(drafts.length, { type: "end" })],
    },
  ] as const;
  for (const commit of commits) {
    assert((await store.commit({ taskId: "t", ...BOUNDS, ...commit })).ok);
  }
}

async function log(store: Pick<ShortTermStore, "readLog">): Promise<StoredEvent[]> {
  return (await store.readLog("t", { after: -1, limit: 1_000_000 }))!.events;
}

/** Returns the number of rows of each table that has any. */
function rowCounts(database: DatabaseSync): Record<string, number> {
  const tables = database.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
  ).all() as { name: string }[];
  const counts = tables.map(({ name }) => {
    const { rows } = database.prepare(`SELECT count(*) AS rows FROM ${name}`).get() as {
      rows: number;
    };
    return [name, rows] as const;
  });
  return Object.fromEntries(counts.filter(([, rows]) => rows > 0));
}

/** Returns the ranks that counting needs, by definition. */
function neededPlaces(events: readonly StoredEvent[], left: ReadonlySet<number>): number[] {
  const classOf = ({ type, level, seriesMode }: StoredEvent) =>
    `${type} ${level} ${seriesMode === "latest" || seriesMode === "accumulate"}`;
  let known: Set<string> | undefined; // No rank is needed before the first remaining event.
  const needed: number[] = [];
  for (const event of events) {
    const name = classOf(event);
    if (left.has(event.index)) known = new Set([name]);
    else if (known?.has(name) === false) {
      known.add(name);
      needed.push(event.index);
    }
  }
  return needed;
}

function randomDrafts(random: () => number, length: number): EventDraft[] {
  const one = <T>(...of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
  return Array.from({ length }, (_, i) => {
    const changes = { type: one("a", "b", "c.d"), level: one("info", "debug") } as const;
    return one<() => EventDraft>(
      () => draftOf(i, { ...changes, data: JSON.stringify("\u{1f600}".repeat(i % 5)) }),
      () => draftOf(i, { ...changes, seriesId: one("k1", "k2", "k3") }),
      () => draftOf(i, { ...changes, seriesId: one("l1", "l2"), seriesMode: "latest" }),
      () =>
        draftOf(i, {
          ...changes,
          seriesId: one("t1", "t2"),
          seriesMode: "accumulate",
          accField: "x",
          delta: `${i};`,
          data: JSON.stringify({ x: `${i};` }),
        }),
    )();
  });
}

for (const seed of [1, 2, 3, 4, 5, 6]) {
  Deno.test(`sqlite: whatever is trimmed, all answers are those of memory (${seed})`, async () => {
    const random = seededRandom(seed);
    const memory = new MemoryShortTermStore();
    const database = new DatabaseSync(":memory:");
    const { shortTerm } = createSqliteAdapters({ database });
    const drafts = randomDrafts(random, 60);
    for (const store of [memory, shortTerm]) await fill(store, drafts);
    const events = await log(memory);
    const left = new Set(events.map(({ index }) => index));
    while (left.size > 1) {
      const share = random() ** 3;
      const indexes = [...events.keys()].slice(0, -1).filter(() => random() < share);
      for (const index of indexes) left.delete(index);
      const gone = ["l1", "l2", "t1", "t2"].filter((name) =>
        !events.some(({ index, seriesId }) => seriesId === name && left.has(index))
      );
      const trim = { indexes, series: gone };
      const counts = [memory, shortTerm].map((store) => store.trimLog("t", INCARNATION, trim));
      assert.equal(await counts[0], await counts[1]);
      assert.deepEqual(await shortTerm.getTask("t"), await memory.getTask("t"));
      assert.deepEqual(await log(shortTerm), await log(memory));
      const at = [...left, events.length].sort((a, b) => a - b);
      for (const filter of [{}, { types: ["a", "end"] }, { types: ["c.*"], levels: ["debug"] }]) {
        assert.deepEqual(
          await shortTerm.countMatches("t", filter as object, at),
          await memory.countMatches("t", filter as object, at),
        );
        for (const backward of [false, true]) {
          const query = {
            after: Math.floor(10 * random()),
            limit: 7,
            filter,
            backward,
          } as LogQuery;
          assert.deepEqual(await shortTerm.readLog("t", query), await memory.readLog("t", query));
        }
      }
      const views = await Promise.all(
        [shortTerm, memory].map(async (store) => {
          const { folds: series } = (await store.readFolds("t", { after: -1, limit: 99 }))!;
          const sorted = series.toSorted((a, b) => a.seriesId < b.seriesId ? -1 : 1);
          return JSON.parse(JSON.stringify(sorted));
        }),
      );
      assert.deepEqual(views[0], views[1]);
      const places = database.prepare("SELECT idx FROM trimmed ORDER BY idx").all();
      assert.deepEqual(places.map(({ idx }) => idx), neededPlaces(events, left));
      const blocks = "SELECT task, class, block FROM class_blocks ORDER BY class, block";
      const ofEvents = "SELECT DISTINCT task, class, idx / 16 AS block FROM events " +
        "ORDER BY class, block";
      assert.deepEqual(database.prepare(blocks).all(), database.prepare(ofEvents).all());
      const { size } = database.prepare(
        "SELECT bytes - trimmed_bytes AS size FROM events JOIN tasks ORDER BY idx DESC LIMIT 1",
      ).get()!;
      assert.equal(size, (await log(memory)).reduce((sum, { data }) => sum + data.length, 0));
    }
    await shortTerm.close();
  });
}

/** Returns a log in which every event has its own series and producer. */
function manyOfAll(length: number): EventDraft[] {
  return Array.from({ length }, (_, i) => {
    const producer = { id: "p", epoch: 0, seq: i };
    if (i % 2 === 0) return draftOf(i, { seriesId: `keep${i}`, producer });
    return draftOf(i, {
      type: "text",
      data: '{"x":"y"}',
      seriesId: `text${i}`,
      seriesMode: "accumulate",
      accField: "x",
      delta: "y",
      producer,
    });
  });
}

Deno.test("sqlite: of a log that was trimmed to its end a handful of rows is left, and then none", async () => {
  const database = new DatabaseSync(":memory:");
  const { shortTerm, longTerm } = createSqliteAdapters({ database });
  await fill(shortTerm, manyOfAll(2_000));
  const { record } = (await shortTerm.getTask("t"))!;
  await longTerm.archive([{ record, events: await log(shortTerm), cleanAtMs: 5 }]);
  assert(rowCounts(database).archived_series! >= 2_000);
  const texts = Array.from({ length: 1_000 }, (_, i) => `text${2 * i + 1}`);
  for (const store of [shortTerm, longTerm]) {
    for (const from of [1_000, 0]) {
      const indexes = Array.from({ length: 1_000 }, (_, i) => from + i);
      await store.trimLog("t", INCARNATION, { indexes, series: from === 0 ? texts : [] });
    }
  }
  assert.deepEqual(rowCounts(database), {
    tasks: 1,
    events: 1,
    classes: 3,
    class_blocks: 1,
    producers: 1,
    archived_tasks: 1,
    archived_events: 1,
    archived_classes: 3,
    archived_class_blocks: 1,
    archived_archive_work: 1,
  });
  assert.deepEqual(await shortTerm.countMatches("t", { types: ["text"] }, [2_000]), [1_000]);
  await shortTerm.deleteTask("t");
  await longTerm.deleteTask("t", INCARNATION);
  assert.deepEqual(rowCounts(database), { archived_deletions: 1 });
  await shortTerm.close();
});

Deno.test("sqlite: records of trimmed events are removed with the task", async () => {
  const database = new DatabaseSync(":memory:");
  const { shortTerm, longTerm } = createSqliteAdapters({ database });
  await fill(shortTerm, [0, 1, 2, 3].map((i) => draftOf(i, { type: i % 2 ? "odd" : "even" })));
  const { record } = (await shortTerm.getTask("t"))!;
  await longTerm.archive([{ record, events: await log(shortTerm) }]);
  for (const store of [shortTerm, longTerm]) {
    await store.trimLog("t", INCARNATION, { indexes: [1], series: [] });
  }
  const { trimmed, archived_trimmed } = rowCounts(database);
  assert.deepEqual({ trimmed, archived_trimmed }, { trimmed: 1, archived_trimmed: 1 });
  await shortTerm.deleteTask("t");
  await longTerm.deleteTask("t", INCARNATION);
  assert.deepEqual(rowCounts(database), { archived_deletions: 1 });
  await shortTerm.close();
});

Deno.test("sqlite: the newest event of a log is never trimmed", async () => {
  const { shortTerm } = createSqliteAdapters({ path: ":memory:" });
  await fill(shortTerm, [draftOf(0)]);
  const trim = { indexes: [0, 1, 2], series: [] };
  assert.equal(await shortTerm.trimLog("t", INCARNATION, trim), 1);
  assert.deepEqual((await log(shortTerm)).map(({ index }) => index), [1]);
  assert.equal((await shortTerm.getTask("t"))!.trimmedThrough, 0);
  await shortTerm.close();
});

Deno.test("sqlite: a keep-all series has no fold to lose, and its events stay whole", async () => {
  const { shortTerm } = createSqliteAdapters({ path: ":memory:" });
  await fill(shortTerm, [0, 1, 2].map((i) => draftOf(i, { seriesId: "k" })));
  const before = await log(shortTerm);
  assert.equal(await shortTerm.trimLog("t", INCARNATION, { indexes: [2], series: ["k"] }), 1);
  assert.deepEqual(await log(shortTerm), before.filter(({ index }) => index !== 2));
  await shortTerm.close();
});

Deno.test("sqlite: two connections that trim the same log remove each event once", async () => {
  await withFile(async (path) => {
    const stores = [1, 2].map(() => createSqliteAdapters({ path }).shortTerm);
    await fill(stores[0]!, Array.from({ length: 300 }, (_, i) => draftOf(i, { type: `${i % 3}` })));
    const before = await stores[0]!.countMatches("t", { types: ["1"] }, [299, 300, 301]);
    const counts = await Promise.all(
      Array.from({ length: 30 }, (_, round) => {
        const indexes = Array.from({ length: 20 }, (_, i) => 10 * (round % 29) + i);
        return stores[round % 2]!.trimLog("t", INCARNATION, { indexes, series: [] });
      }),
    );
    assert.equal(counts.reduce((sum, count) => sum + count, 0), 300);
    assert.deepEqual((await log(stores[1]!)).map(({ index }) => index), [300]);
    assert.deepEqual(
      await stores[1]!.countMatches("t", { types: ["1"] }, [300, 301]),
      before!.slice(1),
    );
    for (const store of stores) await store.close();
  });
});
