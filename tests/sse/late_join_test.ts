import assert from "node:assert/strict";
import { startAnyServer } from "../../testing/servers/any_server.ts";
import { frames } from "../../testing/sse/sse.ts";

// A late join by example: over a socket, with the smallest log that shows each rule. The laws are in
// subscribe_property_test.ts.

const answer = { type: "llm.delta", seriesId: "answer", seriesMode: "accumulate" } as const;
const progress = { type: "progress", seriesId: "percent", seriesMode: "latest" } as const;

Deno.test("a late join has standalone events in order, each series as one snapshot, and then what is new", async () => {
  await using server = await startAnyServer();
  const { engine, url } = server;
  await engine.createTask({ id: "t" });
  await engine.publishEvents("t", [
    { type: "note", data: "one" }, // index 0
    { ...answer, data: { delta: "Hel" } }, // 1
    { ...progress, data: 10 }, // 2
    { ...answer, data: { delta: "lo" } }, // 3
    { type: "note", data: "two" }, // 4
    { ...progress, data: 90 }, // 5
  ]);

  const seen: unknown[][] = [];
  for await (const { event, data } of frames(`${url}/tasks/t/events`)) {
    if (event === "taskcast.done") break;
    if (event !== "taskcast.event") continue;
    seen.push([data.type, data.data, data.seriesSnapshot ?? false]);
    if (seen.length === 4) {
      // The reader has caught up, so a series continues with its parts.
      await engine.publishEvent("t", { ...answer, data: { delta: "!" } });
      await engine.publishEvent("t", { ...progress, data: 100 });
      await engine.transitionTask("t", "completed");
    }
  }

  assert.deepEqual(seen, [
    ["note", "one", false],
    ["llm.delta", { delta: "Hello" }, true], // At the place of its newest event, 3.
    ["note", "two", false],
    ["progress", 90, true], // At 5; the value 10 is not sent.
    ["llm.delta", { delta: "!" }, false],
    ["progress", 100, false],
    ["taskcast:status", { status: "completed" }, false],
  ]);
});
