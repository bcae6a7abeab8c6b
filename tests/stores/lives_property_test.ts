import { MemoryLongTermStore, MemoryShortTermStore } from "@taskcast/core";
import { createDenoKvAdapters } from "@taskcast/deno-kv";
import { createPostgresAdapters } from "@taskcast/postgres";
import { createRedisAdapters } from "@taskcast/redis";
import { createSqliteAdapters } from "@taskcast/sqlite";
import { testLives } from "../../testing/properties/lives_property.ts";
import { postgresUrl } from "../../testing/databases/postgres_server.ts";
import { redisUrl } from "../../testing/databases/redis_server.ts";

testLives({ name: "memory", open: () => ({ shortTerm: new MemoryShortTermStore() }), runs: 60 });
testLives({
  name: "memory, archived",
  open: () => ({ shortTerm: new MemoryShortTermStore(), longTerm: new MemoryLongTermStore() }),
  runs: 25,
});
testLives({ name: "sqlite", open: () => createSqliteAdapters({ path: ":memory:" }), runs: 15 });
testLives({
  name: "deno-kv",
  open: async () => createDenoKvAdapters(await Deno.openKv(":memory:"), { closesKv: true }),
  runs: 15,
});

const redis = await redisUrl();
if (redis !== undefined) {
  testLives({
    name: "redis",
    open: () => createRedisAdapters(redis, { partitions: 2, prefix: crypto.randomUUID() }),
    runs: 10,
  });
}

const postgres = await postgresUrl();
if (postgres !== undefined) {
  testLives({
    name: "postgres",
    open: () => createPostgresAdapters({ url: postgres, maxConnections: 4 }),
    runs: 6,
  });
}
