import { MemoryLongTermStore, MemoryShortTermStore } from "@taskcast/core";
import { createDenoKvAdapters } from "@taskcast/deno-kv";
import { createPostgresAdapter, createPostgresAdapters } from "@taskcast/postgres";
import { createRedisAdapters } from "@taskcast/redis";
import { createSqliteAdapters } from "@taskcast/sqlite";
import { postgresUrl } from "../../testing/databases/postgres_server.ts";
import { redisUrl } from "../../testing/databases/redis_server.ts";
import { testSubscribe } from "../../testing/properties/subscribe_property.ts";

testSubscribe({
  name: "memory",
  open: () => ({ shortTerm: new MemoryShortTermStore() }),
  runs: 150,
});
testSubscribe({
  name: "memory, archived",
  open: () => ({ shortTerm: new MemoryShortTermStore(), longTerm: new MemoryLongTermStore() }),
  runs: 100,
});
testSubscribe({
  name: "sqlite",
  open: () => createSqliteAdapters({ path: ":memory:" }),
  runs: 50,
});
testSubscribe({
  name: "deno-kv",
  open: async () => createDenoKvAdapters(await Deno.openKv(":memory:"), { closesKv: true }),
  runs: 50,
});
testSubscribe({
  name: "deno-kv, archived",
  open: async () => ({
    ...createDenoKvAdapters(await Deno.openKv(":memory:"), { closesKv: true }),
    longTerm: new MemoryLongTermStore(),
  }),
  runs: 30,
});

const redis = await redisUrl();
if (redis !== undefined) {
  testSubscribe({
    name: "redis",
    open: () => createRedisAdapters(redis, { partitions: 2 }),
    runs: 30,
  });
  testSubscribe({
    name: "redis, archived in sqlite",
    open: () => ({
      ...createRedisAdapters(redis, { partitions: 2 }),
      longTerm: createSqliteAdapters({ path: ":memory:" }).longTerm,
    }),
    runs: 30,
  });
}

const postgres = await postgresUrl();
if (postgres !== undefined) {
  testSubscribe({
    name: "postgres",
    open: () => createPostgresAdapters({ url: postgres, maxConnections: 4 }),
    runs: 20,
  });
  testSubscribe({
    name: "memory, archived in postgres",
    async open() {
      const longTerm = await createPostgresAdapter({ url: postgres, maxConnections: 4 });
      // Each run has a new hot store, which would seem to have lost live tasks of the previous run.
      const { tasks } = await longTerm.listTasks({ limit: 500 });
      for (const { task, incarnation } of tasks) await longTerm.deleteTask(task.id, incarnation);
      return { shortTerm: new MemoryShortTermStore(), longTerm };
    },
    runs: 20,
  });
}
