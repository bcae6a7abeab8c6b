import { delayReads, testBroadcast, testShortTermStore } from "@taskcast/core/conformance";
import type { ShortTermStore } from "@taskcast/core";
import { createDenoKvAdapters } from "@taskcast/deno-kv";

async function openStore(): Promise<ShortTermStore> {
  const kv = await Deno.openKv(":memory:");
  const { broadcast, shortTerm } = createDenoKvAdapters(kv, { closesKv: true });
  await broadcast.close();
  return shortTerm;
}

const { test } = Deno;
testShortTermStore({ name: "deno-kv", open: openStore, test });
testShortTermStore({
  name: "deno-kv, slow",
  open: async () => delayReads(await openStore()),
  test,
});
testBroadcast({
  name: "deno-kv",
  async open() {
    const kv = await Deno.openKv(":memory:");
    const { broadcast } = createDenoKvAdapters(kv);
    return {
      publisher: broadcast,
      subscriber: broadcast,
      async close() {
        await broadcast.close();
        kv.close();
      },
    };
  },
  test,
});
