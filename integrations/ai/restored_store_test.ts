import assert from "node:assert/strict";
import { TaskcastClient } from "@taskcast/client";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import { restorableStore } from "../../testing/databases/restorable_store.ts";
import { startServer } from "../../testing/servers/test_server.ts";
import { engineTasks } from "./tasks/engine_tasks.ts";
import { remoteTasks } from "./tasks/remote_tasks.ts";

Deno.test("an answer breaks off if the store lost a part of it, so that it is read again from its beginning", async () => {
  for (const isRemote of [false, true]) {
    const store = restorableStore();
    await using server = startServer({ engine: { shortTermStore: store, options: { pollMs: 5 } } });
    const { engine, url } = server;
    const tasks = isRemote
      ? remoteTasks({
        server: new TaskcastServerClient({ baseUrl: url }),
        client: new TaskcastClient({ baseUrl: url }),
      }, 1_000_000)
      : engineTasks({ engine }, 1_000_000);
    await engine.createTask({ id: "t" });
    await engine.publishEvent("t", { type: "a", data: 1 });
    const saved = store.changes;
    await engine.publishEvent("t", { type: "a", data: 2 });
    const events = tasks.follow("t", AbortSignal.timeout(5_000));
    for (const data of [1, 2]) {
      const { value } = await events.next();
      assert.equal((value as { data: unknown }).data, data);
    }
    await store.restore(saved);
    assert.deepEqual(await events.next(), { done: true, value: undefined });
  }
});
