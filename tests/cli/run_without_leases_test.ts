import assert from "node:assert/strict";
import { MemoryShortTermStore } from "@taskcast/core";
import { runCli } from "../../testing/servers/cli.ts";
import { startServer } from "../../testing/servers/test_server.ts";

Deno.test("taskcast run goes on without a lease where the store has none", async () => {
  const shortTermStore = new MemoryShortTermStore();
  Object.defineProperty(shortTermStore, "leases", { value: undefined });
  await using server = startServer({ engine: { shortTermStore } });
  await assert.rejects(server.engine.createTask({ lease: { ms: 5_000 } }), {
    code: "NOT_SUPPORTED",
  });
  const { code, out, err } = await runCli(["run", "--url", server.url, "--", "echo", "done"]);
  assert.deepEqual([code, out], [0, "done\n"]);
  const id = /tasks\/(\w+)\/events/.exec(err)![1]!;
  const task = (await server.engine.getTask(id))!;
  assert.deepEqual([task.status, task.leaseSince], ["completed", undefined]);
});
