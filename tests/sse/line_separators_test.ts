import assert from "node:assert/strict";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import { createTaskcastApp } from "@taskcast/server";

// Characters that are valid in JSON but break some readers.

const LINES = "a\u2028b\u2029c\u0085d";

Deno.test("no answer contains a character that some readers treat as a line break", async () => {
  await using engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
  });
  const app = createTaskcastApp({ engine });
  const ask = async (method: string, path: string, body?: unknown) => {
    const response = await app.request(path, {
      method,
      headers: { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    return await response.text();
  };
  const event = { type: "text", data: { [LINES]: LINES } };
  const series = {
    type: "text",
    seriesId: LINES,
    seriesMode: "accumulate",
    data: { delta: LINES },
  };
  const answers = [
    await ask("POST", "/tasks", { id: "t", metadata: { text: LINES }, tags: [LINES] }),
    await ask("GET", "/tasks/t"),
    await ask("GET", "/tasks"),
    await ask("POST", "/tasks/t/events", event),
    await ask("POST", "/tasks/t/events", [event, series, series]),
    await ask("POST", "/tasks/t/events", { [LINES]: 1 }),
    await ask("PATCH", "/tasks/t/status", { status: "failed", error: { message: LINES } }),
    await ask("GET", "/tasks/t/events/history"),
    await ask("GET", "/tasks/t/events"),
    await ask("GET", "/tasks/t/events?wrap=false"),
    await ask("GET", "/tasks/t/events?wrap=event"),
    await ask("GET", "/tasks/t/events?seriesFormat=accumulated"),
  ];
  for (const answer of answers) assert.doesNotMatch(answer, /[\u0085\u2028\u2029]/);
  // Both have the same content.
  assert.deepEqual(JSON.parse(answers[3]!).data, event.data);
  const data = answers[9]!.split("\n").filter((line) => line.startsWith("data: "))
    .map((line) => JSON.parse(line.slice("data: ".length)));
  assert.deepEqual(data[0], event.data);
  assert(data.some(({ delta }) => delta === LINES + LINES));
});

Deno.test("numbers are those of JavaScript: large integers lose digits, and −0 is 0", async () => {
  await using engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
  });
  const app = createTaskcastApp({ engine });
  await engine.createTask({ id: "t" });
  const response = await app.request("/tasks/t/events", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"type":"n","data":[9007199254740993,-0,"9007199254740993"]}',
  });
  assert.match(await response.text(), /"data":\[9007199254740992,0,"9007199254740993"\]/);
});
