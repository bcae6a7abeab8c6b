import { MemoryShortTermStore } from "@taskcast/core";
import { createSqliteAdapters } from "@taskcast/sqlite";
import { testSubscribe } from "./support/subscribe_property.ts";

testSubscribe({ name: "memory", open: () => new MemoryShortTermStore(), runs: 150 });
testSubscribe({
  name: "sqlite",
  open: () => createSqliteAdapters({ path: ":memory:" }).shortTerm,
  runs: 50,
});
