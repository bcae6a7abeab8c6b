import assert from "node:assert/strict";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import { createTaskcastApp } from "./mod.ts";
import type { TaskcastAppOptions } from "./mod.ts";

/** Returns what the app reads of a request that publishes an event. */
async function asked(
  options: Partial<TaskcastAppOptions>,
): Promise<{ headers: string[]; addresses: number }> {
  await using engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
  });
  let addresses = 0;
  const clientAddress = () => {
    addresses++;
    return "10.0.0.1";
  };
  const app = createTaskcastApp({ engine, clientAddress, ...options });
  await engine.createTask({ id: "t" });
  const request = new Request("http://localhost/tasks/t/events", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ type: "a", data: 1 }),
  });
  const names = new Set<string>();
  const get = request.headers.get.bind(request.headers);
  request.headers.get = (name) => {
    names.add(name);
    return get(name);
  };
  const response = await app.request(request);
  assert.equal(response.status, 201, await response.text());
  return { headers: [...names].sort(), addresses };
}

Deno.test("a publish reads only headers that can change its handling", async () => {
  const { headers } = await asked({});
  assert.deepEqual(headers, [
    "content-encoding",
    "content-length",
    "content-type",
    "taskcast-lease",
    "x-request-id",
    "x-taskcast-service-key",
  ]);
});

Deno.test("a request's address is determined only if a limit needs it", async () => {
  assert.equal((await asked({})).addresses, 0);
  const rateLimit = { requestsPerSecond: 1_000 };
  assert.equal((await asked({ rateLimit })).addresses, 1);
});
