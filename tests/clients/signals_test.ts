import assert from "node:assert/strict";
import { TaskcastClient } from "@taskcast/client";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import { startAnyServer } from "../../testing/servers/any_server.ts";
import { until } from "../../testing/sse/sse.ts";

/** Returns a signal that counts its listeners. */
function countedSignal(): { signal: AbortSignal; abort: () => void; most: () => number } {
  const controller = new AbortController();
  const { signal } = controller;
  const listeners = new Set<unknown>();
  let most = 0;
  const { addEventListener, removeEventListener } = signal;
  // deno-lint-ignore no-explicit-any
  signal.addEventListener = (...args: any[]) => {
    listeners.add(args[1]);
    most = Math.max(most, listeners.size);
    // deno-lint-ignore no-explicit-any
    (addEventListener as any).apply(signal, args);
  };
  // deno-lint-ignore no-explicit-any
  signal.removeEventListener = (...args: any[]) => {
    listeners.delete(args[1]);
    // deno-lint-ignore no-explicit-any
    (removeEventListener as any).apply(signal, args);
  };
  return { signal, abort: () => controller.abort(), most: () => most };
}

Deno.test("one AbortSignal ends any number of streams and publishers, with few listeners on it", async () => {
  // Node warns of a leak from the eleventh listener on.
  await using server = await startAnyServer();
  const { id } = await server.engine.createTask();
  const { signal, abort, most } = countedSignal();
  let opened = 0;
  const client = new TaskcastClient({ baseUrl: server.url });
  const away = new TaskcastClient({
    baseUrl: "http://taskcast.test",
    fetch: () => Promise.reject(new TypeError("away")),
  });
  const streams = Array.from(
    { length: 30 },
    () => client.subscribe(id, { signal, onOpen: () => opened++ }),
  );
  const waiting = Array.from(
    { length: 30 },
    () => away.subscribe(id, { signal, onError: () => opened++ }),
  );
  const producer = new TaskcastServerClient({ baseUrl: server.url });
  const publishers = Array.from({ length: 30 }, () => producer.openPublisher(id, { signal }));
  await until(() => opened >= 60, "all have begun");
  assert(most() <= 1, `${most()} listeners`);
  abort();
  await Promise.all([...streams, ...waiting]);
  for (const publisher of publishers) assert(publisher.signal.aborted);
  await Promise.all(publishers.map((publisher) => publisher.close()));
});

Deno.test("the same signal ends subscriptions within the process, with few listeners on it", async () => {
  await using engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
  });
  const { id } = await engine.createTask();
  const { signal, abort, most } = countedSignal();
  const reading = Array.from({ length: 30 }, async () => {
    for await (const _ of engine.subscribe(id, { signal }));
  });
  await until(() => engine.stats.streams === 30, "all have begun");
  assert(most() <= 1, `${most()} listeners`);
  abort();
  await Promise.all(reading);
});
