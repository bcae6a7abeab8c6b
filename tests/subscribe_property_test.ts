import { MemoryLongTermStore, MemoryShortTermStore } from "@taskcast/core";
import { createSqliteAdapters } from "@taskcast/sqlite";
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
