import assert from "node:assert/strict";
import type postgres from "postgres";
import { UsedConnections } from "./used_connections.ts";

Deno.test("connections that are left are closed when nothing is under way any more, and not before", async () => {
  const said: string[] = [];
  const connections = new UsedConnections({
    sql: {} as postgres.Sql,
    close: () => Promise.resolve(said.push("closed")).then(() => {}),
    destroy: () => Promise.resolve(said.push("destroyed")).then(() => {}),
  });
  const works = [1, 2].map(() => Promise.withResolvers<string>());
  const answers = works.map(({ promise }) => connections.use(() => promise));
  const closing = connections.close();
  works[0]!.reject(new Error("no"));
  await assert.rejects(answers[0]!, /no/);
  assert.deepEqual(said, []);
  works[1]!.resolve("done");
  assert.equal(await answers[1], "done");
  await closing;
  assert.deepEqual(said, ["closed"]);
});
