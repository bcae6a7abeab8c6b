import assert from "node:assert/strict";
import type { LongTermStore, ShortTermStore } from "@taskcast/core/adapter";
import {
  MemoryBroadcastProvider,
  MemoryLongTermStore,
  MemoryShortTermStore,
  TaskEngine,
} from "@taskcast/core";
import { createPostgresAdapter, createPostgresAdapters } from "@taskcast/postgres";
import { createRedisAdapters } from "@taskcast/redis";
import { createSqliteAdapters } from "@taskcast/sqlite";
import { openStore } from "../../testing/databases/open_deno_kv.ts";
import { postgresUrl } from "../../testing/databases/postgres_server.ts";
import { redisUrl } from "../../testing/databases/redis_server.ts";
import { until } from "../../testing/sse/sse.ts";

// Short-term stores that lost live tasks, or events of them, restore them from an archive.

const redis = await redisUrl();
const postgres = await postgresUrl();
const broadcast = new MemoryBroadcastProvider();
const options = { archiveDelayMs: 1, sweepMs: 5, pollMs: 20 };
const errors: string[] = [];

function open(shortTermStore: ShortTermStore, longTermStore: LongTermStore): TaskEngine {
  return new TaskEngine({
    broadcast,
    shortTermStore,
    longTermStore,
    options,
    hooks: { onUnhandledError: (error) => void errors.push(String(error)) },
  });
}

/** Returns a task as every kind of read shows it. */
async function seen(engine: TaskEngine, id: string): Promise<unknown> {
  const { tasks } = await engine.listTasks({ tag: "refilled", types: ["kind.*"] });
  const late: unknown[] = [];
  const stopping = new AbortController();
  const filter = { types: ["*"], levels: ["info" as const] };
  const { signal } = stopping;
  const length = (await engine.getTask(id))!.lastIndex + 1;
  for await (const message of engine.subscribe(id, { signal, filter })) {
    if (message.kind === "open") continue;
    late.push(message);
    if (message.kind === "event" && message.event.index === length - 1) break;
  }
  return {
    task: await engine.getTask(id),
    tasks: tasks.filter((task) => task.id === id),
    events: (await engine.getEvents(id, { limit: 1_000 })).events,
    steps: (await engine.getEvents(id, { limit: 1_000, filter: { types: ["step"] } })).events,
    late: JSON.parse(JSON.stringify(late, (key, value) => key === "cursor" ? undefined : value)),
  };
}

/** Copies the first events of a log, as an older short-term store has them. */
async function copyBeginning(
  from: LongTermStore,
  to: ShortTermStore,
  id: string,
  length: number,
): Promise<void> {
  const { record } = (await from.getTask(id))!;
  const { events } = (await from.readLog(id, { after: -1, limit: length }))!;
  for (const [i, event] of [undefined, ...events].entries()) {
    const { index: _, timestamp: nowMs = record.task.createdAt, ...draft } = event ??
      { index: 0, timestamp: undefined };
    const accumulates = event?.seriesMode === "accumulate";
    const delta = accumulates && { delta: JSON.parse(event.data).delta as string };
    const version = { version: record.version, incarnation: record.incarnation };
    const result = await to.commit({
      taskId: id,
      expect: i === 0 ? "absent" : version,
      record,
      due: {},
      events: event === undefined ? [] : [{ ...event, ...draft, ...delta }],
      nowMs,
      maxEvents: 1e9,
      maxBytes: 1e9,
    });
    assert(result.ok);
  }
}

async function refill(hot: ShortTermStore, cold: LongTermStore): Promise<void> {
  const run = crypto.randomUUID().slice(0, 8);
  const ids = ["absent", "older", "empty"].map((name) => `refill-${run}-${name}`);
  const [absent, older, empty] = ids as [string, string, string];
  const lost = new MemoryShortTermStore();
  const first = open(lost, cold);
  const input = { type: "kind.a", tags: ["refilled"], ttl: 3_600, metadata: { n: 1 } };
  for (const id of ids) await first.createTask({ id, ...input });
  const written = [absent, older];
  for (const id of written) {
    for (let i = 0; i < 30; i++) {
      await first.publishEvents(id, [
        { type: "step", level: i % 3 ? "info" : "warn", data: { i, text: "ü".repeat(i) } },
        { type: "delta", seriesId: "s", seriesMode: "accumulate", data: { delta: `${i},` } },
        { type: "progress", seriesId: "p", seriesMode: "latest", data: { i } },
      ]);
      if (i % 4 === 0) await new Promise((resolve) => setTimeout(resolve, 1)); // At a later time.
    }
    await first.transitionTask(id, "running");
    await first.publishEvent(id, { type: "step", data: "last" });
  }
  const isArchived = async (id: string) => {
    const there = await lost.getTask(id);
    const here = await cold.getTask(id);
    return here?.length === there?.length && here?.record.version === there?.record.version;
  };
  await until(
    async () => (await Promise.all(ids.map(isArchived))).every(Boolean),
    "all is archived",
  );
  const before = await Promise.all(written.map((id) => seen(first, id)));
  await first.close();
  await copyBeginning(cold, hot, older, 40);

  errors.length = 0;
  const engines = [1, 2].map(() => open(hot, cold));
  const refilled = () => engines.reduce((sum, { stats }) => sum + stats.tasksRefilled, 0);
  await until(() => refilled() === 3, "all tasks are restored");
  assert.deepEqual(await Promise.all(written.map((id) => seen(engines[0]!, id))), before);
  for (const id of ids) {
    const brought = errors.filter((error) => error.includes(id) && /brought back/.test(error));
    assert.equal(brought.length, 1, errors.join("\n"));
    const there = await hot.getTask(id);
    const { record, length } = (await cold.getTask(id))!;
    assert.deepEqual([there?.record, there?.length], [record, length]);
    await assert.rejects(engines[1]!.createTask({ id }), { code: "TASK_EXISTS" });
  }
  const due = await hot.due(Date.now() + 3_600_000, 1_000);
  for (const id of ids) assert(due.entries.some(({ taskId }) => taskId === id), "its ttl is due");
  await engines[1]!.publishEvent(absent, {
    type: "delta",
    seriesId: "s",
    seriesMode: "accumulate",
    data: { delta: "end" },
  });
  assert.equal((await engines[0]!.publishEvent(empty, { type: "step", data: 1 })).index, 0);
  for (const id of ids) await engines[0]!.transitionTask(id, "completed");
  await until(async () => {
    const heads = await Promise.all(ids.map((id) => cold.getTask(id)));
    return heads.every((head) => head?.record.task.status === "completed");
  }, "they are archived as before");
  for (const engine of engines) await engine.close();
}

const kinds: [name: string, (() => Promise<[ShortTermStore, LongTermStore]>) | undefined][] = [
  ["sqlite", () => {
    const { shortTerm } = createSqliteAdapters({ path: ":memory:" });
    return Promise.resolve([shortTerm, createSqliteAdapters({ path: ":memory:" }).longTerm]);
  }],
  ["deno kv", async () => [await openStore(), new MemoryLongTermStore()]],
  [
    "redis and postgres",
    redis === undefined || postgres === undefined ? undefined : async () => [
      createRedisAdapters(redis).shortTerm,
      await createPostgresAdapter({ url: postgres }),
    ],
  ],
  [
    "postgres",
    postgres === undefined ? undefined : async () => [
      (await createPostgresAdapters({ url: postgres })).shortTerm,
      new MemoryLongTermStore(),
    ],
  ],
];
for (const [name, stores] of kinds) {
  if (stores === undefined) continue;
  Deno.test({
    name: `${name}: live tasks that the short-term store lost are brought back as they were`,
    sanitizeResources: false, // Subscriptions that are not used here stay open.
    sanitizeOps: false,
    fn: async () => {
      const [hot, cold] = await stores();
      await refill(hot, cold);
      await Promise.all([hot.close(), cold.close()]);
    },
  });
}
