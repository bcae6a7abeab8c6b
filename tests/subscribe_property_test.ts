import { MemoryLongTermStore, MemoryShortTermStore } from "@taskcast/core";
import { createRedisAdapters } from "@taskcast/redis";
import { createSqliteAdapters } from "@taskcast/sqlite";
import { redisUrl } from "./support/redis_server.ts";
import { testSubscribe } from "./support/subscribe_property.ts";

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
