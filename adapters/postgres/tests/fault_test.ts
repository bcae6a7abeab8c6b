import assert from "node:assert/strict";
import type { StoredEvent } from "@taskcast/core/adapter";
import { TaskcastError, TaskEngine } from "@taskcast/core";
import { cuttingProxy } from "../../../testing/network/cutting_proxy.ts";
import { hasPostgres, startPostgres } from "../../../testing/databases/postgres_server.ts";
import { createPostgresAdapters, migratePostgres } from "../mod.ts";

// `conformance_test.ts` reports the skip.
const test = await hasPostgres() ? Deno.test : () => {};

async function refusal(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    assert(error instanceof TaskcastError, String(error));
    return error.code;
  }
}

test("postgres: commits whose connection closes are executed at most once, and work continues", async () => {
  await using server = await startPostgres();
  // At any point: in statements, in replies, between two statements of a transaction.
  await migratePostgres({ url: server.url });
  let length = 3_000;
  await using proxy = cuttingProxy(server.url, () => length += 137);
  const through = new URL(server.url);
  through.port = new URL(proxy.url).port;
  const { shortTerm, broadcast } = await createPostgresAdapters({
    url: through.href,
    maxConnections: 3,
  });
  const engine = new TaskEngine({ broadcast, shortTermStore: shortTerm });
  while (await refusal(engine.createTask({ id: "t" })) === "STORE_UNAVAILABLE");
  const acknowledged: number[] = [];
  for (let data = 0; data < 600; data += 5) {
    await Promise.all(Array.from({ length: 5 }, async (_, i) => {
      const code = await refusal(engine.publishEvent("t", { type: "n", data: data + i }));
      if (code === undefined) acknowledged.push(data + i);
      else assert.equal(code, "STORE_UNAVAILABLE");
    }));
  }
  length = Infinity;
  let events: readonly StoredEvent[] = [];
  const read = async () => {
    events = (await shortTerm.readLog("t", { after: -1, limit: 10_000 }))!.events;
  };
  while (await refusal(read()) !== undefined);
  const stored = events.map(({ data }) => Number(data));
  assert.equal(new Set(stored).size, stored.length, "nothing is doubled");
  for (const data of acknowledged) assert(stored.includes(data), `${data} is there`);
  assert(proxy.cuts > 20, `${proxy.cuts} connections were broken`);
  await engine.close();
  await shortTerm.close();
  await broadcast.close();
});
