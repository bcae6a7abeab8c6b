import { MemoryLongTermStore, MemoryShortTermStore } from "@taskcast/core";
import { createDenoKvAdapters } from "@taskcast/deno-kv";
import { createPostgresAdapters } from "@taskcast/postgres";
import { createRedisAdapters } from "@taskcast/redis";
import { createSqliteAdapters } from "@taskcast/sqlite";
import { testIncarnations } from "../../testing/properties/incarnations_property.ts";
import { postgresUrl } from "../../testing/databases/postgres_server.ts";
import { redisUrl } from "../../testing/databases/redis_server.ts";

testIncarnations({
  name: "memory",
  open: () => ({ shortTerm: new MemoryShortTermStore() }),
  runs: 60,
});
testIncarnations({
  name: "memory, archived",
  open: () => ({ shortTerm: new MemoryShortTermStore(), longTerm: new MemoryLongTermStore() }),
  runs: 25,
});
testIncarnations({
  name: "sqlite",
  open: () => createSqliteAdapters({ path: ":memory:" }),
  runs: 15,
});
testIncarnations({
  name: "deno-kv",
  open: async () => createDenoKvAdapters(await Deno.openKv(":memory:"), { closesKv: true }),
  runs: 15,
});

const redis = await redisUrl();
if (redis !== undefined) {
  testIncarnations({
    name: "redis",
    open: () => createRedisAdapters(redis, { partitions: 2, prefix: crypto.randomUUID() }),
    runs: 10,
  });
}

const postgres = await postgresUrl();
if (postgres !== undefined) {
  testIncarnations({
    name: "postgres",
    open: () => createPostgresAdapters({ url: postgres, maxConnections: 4 }),
    runs: 6,
  });
}
