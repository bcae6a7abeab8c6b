import assert from "node:assert/strict";
import { openKv } from "@deno/kv";
import type { Signal } from "@taskcast/core/adapter";
import { testShortTermStore } from "@taskcast/core/conformance";
import { createDenoKvAdapters } from "@taskcast/deno-kv";
import { until } from "../../../testing/sse/sse.ts";

// The database of Node programs: the npm package @deno/kv, a native module.

testShortTermStore({
  name: "@deno/kv",
  async open() {
    return createDenoKvAdapters(await openKv(":memory:"), { closesKv: true }).shortTerm;
  },
  test: Deno.test,
});

Deno.test("@deno/kv: what one connection publishes is heard on it", async () => {
  const kv = await openKv(":memory:");
  const { broadcast } = createDenoKvAdapters(kv);
  const heard: Signal[] = [];
  await broadcast.subscribe({ taskId: "t" }, (signal) => heard.push(signal));
  await broadcast.publish({ taskId: "t", from: 0, length: 1 });
  await until(() => heard.length > 0, "it is heard");
  assert.equal(heard[0]!.length, 1);
  await broadcast.close();
  kv.close();
});
