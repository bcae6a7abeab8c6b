import { delayReads, testBroadcast, testShortTermStore } from "@taskcast/core/conformance";
import { createDenoKvAdapters } from "@taskcast/deno-kv";
import { openStore, openTwo } from "../../../testing/databases/open_deno_kv.ts";

const { test } = Deno;
testShortTermStore({ name: "deno-kv", open: openStore, test });
testShortTermStore({
  name: "deno-kv, slow",
  open: async () => delayReads(await openStore()),
  test,
});
testShortTermStore({ name: "deno-kv, two connections", open: openTwo, test });
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
