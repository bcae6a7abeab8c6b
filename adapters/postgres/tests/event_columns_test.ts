import assert from "node:assert/strict";
import { hasPostgres, startPostgres } from "../../../testing/databases/postgres_server.ts";
import { createPostgresAdapters } from "../mod.ts";

// `conformance_test.ts` reports the skip.
const test = await hasPostgres() ? Deno.test : () => {};

const BOUNDS = { nowMs: 5, maxEvents: 99, maxBytes: 999 };

test("postgres: events whose data is JSON only when joined are refused, and nothing is stored", async () => {
  await using server = await startPostgres();
  const { broadcast, shortTerm } = await createPostgresAdapters({ url: server.url });
  const record = {
    task: { id: "t", status: "running" as const, createdAt: 5, updatedAt: 5 },
    incarnation: "0123abcd",
    version: 1,
  };
  await shortTerm.commit({
    ...{ taskId: "t", expect: "absent", record, due: {}, events: [], ...BOUNDS },
  });
  const append = (...data: string[]) =>
    shortTerm.commit({
      taskId: "t",
      expect: "live",
      events: data.map((data) => ({ type: "n", level: "info" as const, entropy: 1, data })),
      ...BOUNDS,
    });
  for (
    const wrong of [["[1", "2]"], ["1", ""], ['{"a":1', '"b":2}']]
  ) {
    await assert.rejects(append(...wrong), { code: "INTERNAL" }, JSON.stringify(wrong));
  }
  assert((await append("null", '"[1"', "2")).ok);
  const { events } = (await shortTerm.readLog("t", { after: -1, limit: 9 }))!;
  assert.deepEqual(events.map(({ index, data }) => [index, data]), [
    [0, "null"],
    [1, '"[1"'],
    [2, "2"],
  ]);
  await shortTerm.close();
  await broadcast.close();
});
