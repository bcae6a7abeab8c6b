import {
  delayReads,
  testBroadcast,
  testLongTermStore,
  testShortTermStore,
} from "../conformance/mod.ts";
import { MemoryBroadcastProvider } from "./broadcast.ts";
import { MemoryLongTermStore } from "./long_term_store.ts";
import { MemoryShortTermStore } from "./short_term_store.ts";

const { test } = Deno;

testShortTermStore({ name: "memory store", open: () => new MemoryShortTermStore(), test });
testShortTermStore({
  name: "memory store, slow",
  open: () => delayReads(new MemoryShortTermStore(), 3),
  test,
});

testBroadcast({
  name: "memory broadcast",
  open() {
    const broadcast = new MemoryBroadcastProvider();
    return { publisher: broadcast, subscriber: broadcast };
  },
  test,
});

testLongTermStore({ name: "memory archive", open: () => new MemoryLongTermStore(), test });
testLongTermStore({
  name: "memory archive, slow",
  open: () => delayReads(new MemoryLongTermStore()),
  test,
});
