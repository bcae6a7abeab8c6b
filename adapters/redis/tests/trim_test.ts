import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Redis } from "ioredis";
import type { EventDraft, ShortTermStore, TaskRecord } from "@taskcast/core/adapter";
import { MemoryShortTermStore } from "@taskcast/core";
import type { RedisServer } from "../../../testing/databases/redis_server.ts";
import { redisProgram, startRedis } from "../../../testing/databases/redis_server.ts";
import { until } from "../../../testing/sse/sse.ts";
import { seededRandom } from "../../../core/conformance/seeded_random.ts";
import { createRedisAdapters } from "../mod.ts";

// Tests the memory of trimmed logs, and the number of entries read.

const hasRedis = await redisProgram() !== undefined;
const test = hasRedis ? Deno.test : () => {}; // `conformance_test.ts` reports the skip.

const INCARNATION = "0123abcd";
const NOW = 1_700_000_000_000;
const BOUNDS = { nowMs: NOW, maxEvents: 1_000_000, maxBytes: 1_000_000_000 };
const TYPES = ["a", "b", "c"];

interface Bench {
  store: ShortTermStore;
  admin: Redis;
  server: RedisServer;
  [Symbol.asyncDispose](): Promise<void>;
}

async function open(): Promise<Bench> {
  const server = await startRedis();
  const { broadcast, shortTerm: store } = createRedisAdapters(server.url);
  const admin = new Redis(server.port);
  return {
    store,
    admin,
    server,
    async [Symbol.asyncDispose]() {
      admin.disconnect();
      await store.close();
      await broadcast.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

function record(changes: Partial<TaskRecord["task"]>, version: number): TaskRecord {
  const task = { id: "t", status: "pending" as const, createdAt: NOW, updatedAt: NOW, ...changes };
  return { task, incarnation: INCARNATION, version };
}

async function create(store: ShortTermStore): Promise<void> {
  const created = record({}, 1);
  const commit = { taskId: "t", expect: "absent", record: created, events: [], ...BOUNDS } as const;
  assert((await store.commit(commit)).ok);
}

function draft(index: number, changes: Partial<EventDraft> = {}): EventDraft {
  const type = TYPES[index % TYPES.length]!;
  return { entropy: index, type, level: "info", data: `"${index}"`, ...changes };
}

async function append(store: ShortTermStore, events: readonly EventDraft[]): Promise<void> {
  for (let at = 0; at < events.length; at += 500) {
    const part = events.slice(at, at + 500);
    const result = await store.commit({ taskId: "t", expect: "live", events: part, ...BOUNDS });
    assert(result.ok);
  }
}

async function end(store: ShortTermStore): Promise<void> {
  const result = await store.commit({
    taskId: "t",
    expect: { version: 1, incarnation: INCARNATION },
    record: record({ status: "completed" }, 2),
    events: [draft(0, { type: "taskcast:status" })],
    ...BOUNDS,
  });
  assert(result.ok);
}

/** Trims as the engine does: a thousand events at a time, ascending. */
async function trim(store: ShortTermStore, indexes: readonly number[]): Promise<void> {
  for (let at = 0; at < indexes.length; at += 1_000) {
    const part = indexes.slice(at, at + 1_000);
    assert.equal(await store.trimLog("t", INCARNATION, { indexes: part, series: [] }), part.length);
  }
}

function upTo(length: number, is: (index: number) => boolean = () => true): number[] {
  return Array.from({ length }, (_, index) => index).filter(is);
}

async function keysOf(admin: Redis, kind: string): Promise<string[]> {
  return (await admin.keys(`*:${kind}:t*`)).sort();
}

async function memoryOf(admin: Redis): Promise<number> {
  const keys = (await admin.keys("*")).filter((key) => key.includes(":t"));
  const sizes = await Promise.all(keys.map((key) => admin.memory("USAGE", key, "SAMPLES", 0)));
  return sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
}

/**
 * Returns the calls that scripts make in Redis during some work, and the number of entries
 * requested.
 */
async function costOf(
  { admin }: Bench,
  work: () => Promise<unknown>,
): Promise<{ calls: number; entries: number }> {
  await work(); // The first use of a script sends its source.
  const monitor = await admin.monitor();
  let [calls, entries, ended] = [0, 0, false];
  monitor.on("monitor", (_time: string, args: string[], source: string) => {
    if (args[0]!.toLowerCase() === "echo") ended = true;
    if (source !== "lua" || !args.some((arg) => /:t(:.+)?$/.test(arg))) return;
    calls++;
    const count = args.findIndex((arg) => /^(count|limit)$/i.test(arg));
    entries += count < 0 ? 1 : Number(args.at(args[count] === "LIMIT" ? count + 2 : count + 1));
  });
  await work();
  await admin.call("ECHO", "t");
  await until(() => ended, "the monitor has seen all");
  monitor.disconnect();
  return { calls, entries };
}

test("redis: trimmed logs are read and counted as in memory, for any trims in any order", async () => {
  await using bench = await open();
  const random = seededRandom(7);
  for (let round = 0; round < 30; round++) {
    // A type may have any character; few and many types take different paths.
    const types = round % 2 ? 5 : 20;
    const memory = new MemoryShortTermStore();
    const stores = [bench.store, memory];
    const length = 5 + Math.floor(random() * 400);
    const events = upTo(length).map((index) =>
      draft(index, {
        type: `${random() < 0.2 ? '"\\, ' : "type"}${Math.floor(random() * types)}`,
        ...(random() < 0.2 && { seriesId: "s", seriesMode: "latest" }),
      })
    );
    for (const store of stores) {
      await create(store);
      await append(store, events);
      await end(store);
    }
    for (let step = 0; step < 6; step++) {
      const from = Math.floor(random() * length);
      const to = from + Math.floor(random() * (length - from));
      const share = random() < 0.3 ? 1 : random();
      const indexes = upTo(length, (index) => index >= from && index <= to && random() < share);
      const [removed, expected] = await Promise.all(
        stores.map((store) => store.trimLog("t", INCARNATION, { indexes, series: [] })),
      );
      assert.equal(removed, expected);
      const [head, headInMemory] = await Promise.all(stores.map((store) => store.getTask("t")));
      assert.equal(head!.trimmedThrough, headInMemory!.trimmedThrough);
      const left = (await memory.readLog("t", { after: -1, limit: 1_000 }))!.events;
      const at = [...left.map(({ index }) => index), length + 1];
      for (
        const types of [["type0"], ['"\\, 1', "type3"], ["taskcast:status", "type4"], ["none"]]
      ) {
        const [counts, countsInMemory] = await Promise.all(
          stores.map((store) => store.countMatches("t", { types }, at)),
        );
        assert.deepEqual(counts, countsInMemory);
        const query = {
          after: Math.floor(random() * length) - 1,
          through: random() < 0.5 ? undefined : Math.floor(random() * length),
          limit: 1 + Math.floor(random() * 50),
          backward: random() < 0.5,
          standalone: random() < 0.5,
          ...(random() < 0.7 && { filter: { types } }),
        };
        const [page, pageInMemory] = await Promise.all(
          stores.map((store) => store.readLog("t", query)),
        );
        assert.deepEqual(page, pageInMemory);
      }
      await assertFewRemembered(bench, left.map(({ index }) => index));
    }
    assert(await bench.store.deleteTask("t"));
    const keys = (await bench.admin.keys("*")).filter((key) => key.includes(":t"));
    assert.deepEqual(keys.filter((key) => !key.endsWith(":tasks")), []);
  }
});

/** Returns the indexes of an event kind, from its chunks and its newest positions. */
async function indexesIn(admin: Redis, chunksKey: string): Promise<number[]> {
  const chunks = await admin.zrangeBuffer(chunksKey, 0, -1);
  const parts = chunks.map((chunk) => chunk.subarray(2 + 8 * chunk.readUInt16BE(0)));
  const open = await admin.getBuffer(chunksKey.replace(":places:", ":open:"));
  const all = Buffer.concat([...parts, open ?? Buffer.alloc(0)]);
  return Array.from({ length: all.length / 6 }, (_, i) => all.readUIntBE(6 * i, 6) - 1);
}

/**
 * Requires at most one kept rank per event kind between two remaining events, and none before the
 * first.
 */
async function assertFewRemembered({ admin }: Bench, left: readonly number[]): Promise<void> {
  for (const key of await keysOf(admin, "gone")) {
    const found = await admin.zrange(key, 0, -1, "WITHSCORES");
    const gaps = found.filter((_, i) => i % 2 === 1).map((position) =>
      left.findLastIndex((index) => index < Number(position) - 1)
    );
    assert.equal(new Set(gaps).size, gaps.length, `${key}: ${found}`);
    assert(!gaps.includes(-1), "nothing is left before them");
    const own = new Set(await indexesIn(admin, key.replace(":gone:", ":places:")));
    for (const gap of gaps) assert(!own.has(left[gap]!), "the event before is of the class");
  }
}

test("redis: events of a class are found and counted across the chunks that their places are kept in", async () => {
  await using bench = await open();
  const random = seededRandom(11);
  const memory = new MemoryShortTermStore();
  const stores = [bench.store, memory];
  const filters = [["a"], ["b", "c"], ["d"], ["*"], ["none"]].map((types) => ({ types }));
  let length = 0;
  async function grow(size: number): Promise<void> {
    // One event kind grows fast, one slowly, and one has no event for long.
    const events = upTo(size).map((i) => {
      const draw = random();
      const type = draw < 0.7 ? "a" : draw < 0.95 ? "b" : length + i > 1_500 ? "d" : "c";
      return draft(length + i, { type });
    });
    length += size;
    for (const store of stores) await append(store, events);
  }
  async function endsOfChunks(): Promise<number[]> {
    const keys = await keysOf(bench.admin, "places");
    const all = await Promise.all(keys.map((key) => bench.admin.zrange(key, 0, -1, "WITHSCORES")));
    return all.flatMap((pairs) => pairs.filter((_, i) => i % 2 === 1).map((at) => Number(at) - 1));
  }
  async function assertSame(): Promise<void> {
    const ends = await endsOfChunks();
    const { events } = (await memory.readLog("t", { after: -1, limit: length }))!;
    for (const filter of filters) {
      // At remaining events and at the end.
      const at = Array.from({ length: 8 }, () => Math.floor(random() * (events.length + 1)))
        .map((i) => events[i]?.index ?? length + 1);
      const counts = await Promise.all(stores.map((s) => s.countMatches("t", filter, at)));
      assert.deepEqual(counts[0], counts[1]);
      for (const backward of [false, true]) {
        // Includes exact chunk boundaries.
        const place = () => {
          const end = ends[Math.floor(random() * ends.length)];
          return end !== undefined && random() < 0.5
            ? end
            : Math.floor(random() * (length + 1)) - 1;
        };
        const [after, through] = [place(), place()].toSorted((a, b) => a - b) as [number, number];
        const query = {
          filter,
          backward,
          after,
          through: random() < 0.5 ? undefined : through,
          limit: 1 + Math.floor(random() * 700),
        };
        const pages = await Promise.all(stores.map((s) => s.readLog("t", query)));
        assert.deepEqual(pages[0], pages[1]);
      }
    }
  }
  for (const store of stores) await create(store);
  for (let round = 0; round < 60; round++) {
    // The size of a chunk, one more, one less; few, and many.
    const sizes = [1, 2, 127, 128, 129, Math.floor(random() * 400)];
    await grow(sizes[round % sizes.length]!);
    await assertSame();
  }
  const chunks = await Promise.all(
    (await keysOf(bench.admin, "places")).map((key) => bench.admin.zcard(key)),
  );
  assert(Math.max(...chunks) > 20, `${chunks} chunks`);
  for (const store of stores) await end(store);
  length++;
  for (let round = 0; round < 12; round++) {
    const from = Math.floor(random() * length);
    const share = random();
    const indexes = upTo(length - 1, (i) => i >= from && i < from + 1_000 && random() < share);
    const removed = await Promise.all(
      stores.map((store) => store.trimLog("t", INCARNATION, { indexes, series: [] })),
    );
    assert.equal(removed[0], removed[1]);
    await assertSame();
  }
});

test("redis: a task of which only the end is left takes as little memory as a short one", async () => {
  await using bench = await open();
  const { store, admin } = bench;
  await create(store);
  await end(store);
  const short = await memoryOf(admin);
  await store.deleteTask("t");
  await create(store);
  const length = 12_000;
  await append(
    store,
    upTo(length).map((seq) => draft(seq, { producer: { id: "p", epoch: 0, seq } })),
  );
  await end(store);
  assert(await memoryOf(admin) > 50 * short);
  await trim(store, upTo(length));
  const left = await memoryOf(admin);
  assert(left < 1.2 * short, `${left} bytes, and ${short} of a task that was always short`);
  assert.deepEqual(await keysOf(admin, "gone"), []);
});

test("redis: few events that are left here and there are packed together", async () => {
  await using bench = await open();
  const { store, admin } = bench;
  await create(store);
  const length = 5_000;
  await append(store, upTo(length).map((i) => draft(i, { data: `"${"x".repeat(80)}"` })));
  await end(store);
  const whole = await memoryOf(admin);
  // One in fifty: at least one in each block of a stream.
  await trim(store, upTo(length, (index) => index % 50 !== 0));
  const left = await memoryOf(admin);
  assert(left < whole / 8, `${left} bytes of ${whole}`);
  const page = await store.readLog("t", { after: -1, limit: 1_000 });
  assert.deepEqual(
    page!.events.map(({ index }) => index),
    upTo(length + 1, (index) => index % 50 === 0),
  );
});

test("redis: reading the rest of a long log visits nothing that was trimmed", async () => {
  await using bench = await open();
  const { store } = bench;
  await create(store);
  const length = 20_000;
  await append(store, upTo(length).map((index) => draft(index)));
  await end(store);
  await trim(store, upTo(length, (index) => index !== 7 && index !== 15_001));
  for (const backward of [false, true]) {
    for (const filter of [undefined, { types: ["*"], levels: ["info" as const] }]) {
      const query = { after: -1, limit: 10, filter, backward };
      let events: number[] = [];
      const { calls, entries } = await costOf(bench, async () => {
        const page = await store.readLog("t", query);
        assert.equal(page!.scannedTo, backward ? 0 : length);
        events = page!.events.map(({ index }) => index);
      });
      assert.deepEqual(events.toSorted((a, b) => a - b), [7, 15_001, length]);
      assert(calls <= 10 && entries <= 50, `${calls} calls for ${entries} entries`);
    }
  }
  const { calls } = await costOf(bench, () => store.countMatches("t", { types: ["a"] }, [15_001]));
  assert(calls <= 4, `${calls} calls`);
});

test("redis: what a trim looks at is in proportion to what it removes", async () => {
  await using bench = await open();
  const { store } = bench;
  await create(store);
  const length = 30_000;
  await append(store, upTo(length).map((index) => draft(index)));
  await end(store);
  let next = 0;
  const cost = async (indexesFrom: (from: number) => number[]) =>
    await costOf(bench, async () => {
      const indexes = indexesFrom(next);
      next = indexes.at(-1)! + 10;
      assert.equal(await store.trimLog("t", INCARNATION, { indexes, series: [] }), indexes.length);
    });
  const inARow = await cost((from) => upTo(1_000).map((i) => from + i));
  assert(inARow.calls <= 60 && inARow.entries <= 2_000, JSON.stringify(inARow));
  const begin = next;
  const scattered = await cost((from) => upTo(400).map((i) => from + 31 * i));
  assert(scattered.calls <= 8 * 400 && scattered.entries <= 12 * 400, JSON.stringify(scattered));
  assert(await bench.admin.zcard((await keysOf(bench.admin, "gone"))[0]!) > 200);
  // Before and after all kept ranks of these.
  const pairs = [[begin - 5, length - 5], [begin - 3, length - 3]];
  const apart = await cost(() => pairs.pop()!);
  assert(apart.calls <= 35 && apart.entries <= 600, JSON.stringify(apart));
});

test("redis: many types make a trim little more work", async () => {
  await using bench = await open();
  const { store } = bench;
  await create(store);
  const length = 32_000;
  const types = 40;
  await append(store, upTo(length).map((i) => draft(i, { type: `type${i * 7 % types}` })));
  await end(store);
  let next = 0;
  const cost = async (count: number, step: number) =>
    await costOf(bench, async () => {
      const indexes = upTo(count).map((i) => next + i * step);
      next = indexes.at(-1)! + 1;
      assert.equal(await store.trimLog("t", INCARNATION, { indexes, series: [] }), count);
    });
  const inARow = await cost(1_000, 1);
  assert(
    inARow.calls <= 12 * types && inARow.entries <= 3_000 + 70 * types,
    JSON.stringify(inARow),
  );
  const scattered = await cost(150, 97);
  assert(scattered.calls <= 10 * 150 + 3 * types, JSON.stringify(scattered));
});

test("redis: a full one still trims, which makes room there", async () => {
  await using bench = await open();
  const { store, admin } = bench;
  await create(store);
  const length = 300;
  await append(store, upTo(length).map((index) => draft(index)));
  await admin.config("SET", "maxmemory", "1");
  await assert.rejects(append(store, [draft(length)]), { code: "STORE_FULL" });
  await trim(store, upTo(length - 1, (index) => index > 3));
  const page = await store.readLog("t", { after: -1, limit: 10 });
  assert.deepEqual(page!.events.map(({ index }) => index), [0, 1, 2, 3, length - 1]);
  assert.deepEqual(await store.countMatches("t", { types: ["a"] }, [2, length - 1]), [
    1,
    length / 3,
  ]);
});

test("redis: the newest event stays, even if it is named", async () => {
  await using bench = await open();
  const { store } = bench;
  await create(store);
  await end(store);
  assert.equal(await store.trimLog("t", INCARNATION, { indexes: [0, 1], series: [] }), 0);
  assert.equal((await store.readLog("t", { after: -1, limit: 10 }))!.events.length, 1);
});

test("redis: a task is scheduled to be cleaned by a commit, claimed, and deleted with its time", async () => {
  await using bench = await open();
  const { store } = bench;
  await create(store);
  const scheduled = {
    taskId: "t",
    expect: "live",
    schedule: { clean: NOW + 5 },
    ...BOUNDS,
  } as const;
  assert((await store.commit({ ...scheduled, events: [draft(0)] })).ok);
  const claim = { nowMs: NOW + 5, untilMs: NOW + 99, limit: 10 };
  assert.deepEqual(await store.claim("clean", claim), { taskIds: ["t"], oldestAtMs: NOW + 5 });
  assert.deepEqual(await store.scheduled("clean", { limit: 10 }), [{
    taskId: "t",
    atMs: NOW + 99,
  }]);
  assert(await store.deleteTask("t"));
  assert.deepEqual(await store.scheduled("clean", { limit: 10 }), []);
});
