import type { EventInput, TaskEvent } from "@taskcast/core";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import type { UIMessage, UIMessageChunk } from "ai";
import { readUIMessageStream, simulateReadableStream } from "ai";
import assert from "node:assert/strict";
import type { ChunkFields } from "./chunks.ts";
import { ChunkReader } from "./chunk_reader.ts";
import { ChunkWriter } from "./chunk_writer.ts";

const metadata = { test: { signature: "abc" } };

/** Two steps with the same ids, interleaved texts, split characters, and data. */
const ANSWER: UIMessageChunk[] = [
  { type: "start", messageId: "m1", messageMetadata: { model: "mock" } },
  { type: "start-step" },
  { type: "reasoning-start", id: "0" },
  { type: "text-start", id: "0" },
  { type: "reasoning-delta", id: "0", delta: "Let me " },
  { type: "text-delta", id: "0", delta: "Smile: \uD83D" },
  { type: "reasoning-delta", id: "0", delta: "think", providerMetadata: metadata },
  { type: "text-delta", id: "0", delta: "\uDE00!" },
  { type: "reasoning-delta", id: "0", delta: "." },
  { type: "reasoning-end", id: "0" },
  { type: "text-delta", id: "0", delta: "" },
  { type: "text-delta", id: "0", delta: "\nLine two" },
  { type: "tool-input-start", toolCallId: "call", toolName: "weather" },
  { type: "tool-input-delta", toolCallId: "call", inputTextDelta: '{"city":' },
  { type: "text-delta", id: "0", delta: "." },
  { type: "tool-input-delta", toolCallId: "call", inputTextDelta: '"Paris"}' },
  { type: "text-end", id: "0", providerMetadata: metadata },
  {
    type: "tool-input-available",
    toolCallId: "call",
    toolName: "weather",
    input: { city: "Paris" },
  },
  { type: "data-progress", id: "p", data: { percent: 10 } },
  { type: "tool-output-available", toolCallId: "call", output: { degrees: 21 } },
  { type: "data-progress", id: "p", data: { percent: 100 } },
  { type: "finish-step" },
  { type: "start-step" },
  { type: "text-start", id: "0" },
  { type: "text-delta", id: "0", delta: "21 degrees" },
  { type: "source-url", sourceId: "s", url: "https://example.com" },
  { type: "text-delta", id: "0", delta: " in Paris" },
  { type: "text-end", id: "0" },
  { type: "finish-step" },
  { type: "finish", finishReason: "stop", messageMetadata: { tokens: 7 } },
];

async function messageOf(chunks: readonly unknown[]): Promise<UIMessage | undefined> {
  const stream = simulateReadableStream({
    chunks: structuredClone(chunks) as UIMessageChunk[], // The SDK modifies its input.
    initialDelayInMs: null,
    chunkDelayInMs: null,
  });
  return (await Array.fromAsync(readUIMessageStream({ stream, terminateOnError: true }))).at(-1);
}

function eventsOf(chunks: readonly UIMessageChunk[]): EventInput[] {
  const writer = new ChunkWriter();
  return chunks.flatMap((chunk) => writer.eventsOf(chunk as ChunkFields));
}

Deno.test("a late join after any event gives the same message", async () => {
  const whole = await messageOf(ANSWER);
  assert(JSON.stringify(whole).includes("Smile: 😀!\\nLine two."));
  const events = eventsOf(ANSWER);
  await using engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
  });
  for (let at = 0; at <= events.length; at++) {
    const { id } = await engine.createTask();
    if (at > 0) await engine.publishEvents(id, events.slice(0, at));
    const reader = new ChunkReader();
    const chunks: ChunkFields[] = [];
    for await (const message of engine.subscribe(id)) {
      if (message.kind === "event") chunks.push(...reader.chunksOf(message.event));
      if (message.kind === "done") chunks.push(...reader.endOf(message.reason));
      if (message.kind === "open") {
        if (at < events.length) await engine.publishEvents(id, events.slice(at));
        await engine.transitionTask(id, "completed");
      }
    }
    assert.deepEqual(await messageOf(chunks), whole, `joined after ${at} events`);
  }
});

Deno.test("a late reader gets each text in one delta", async () => {
  await using engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
  });
  const { id } = await engine.createTask();
  await engine.publishEvents(id, eventsOf(ANSWER));
  await engine.transitionTask(id, "completed");
  const reader = new ChunkReader();
  const deltas: unknown[] = [];
  for await (const message of engine.subscribe(id)) {
    if (message.kind !== "event") continue;
    for (const chunk of reader.chunksOf(message.event)) {
      if (chunk.type.endsWith("-delta") && chunk.providerMetadata === undefined) {
        deltas.push(chunk.delta ?? chunk.inputTextDelta);
      }
    }
  }
  assert.deepEqual(deltas.toSorted(), [
    "21 degrees in Paris",
    "Let me think.",
    "Smile: 😀!\nLine two.",
    '{"city":"Paris"}',
  ]);
});

Deno.test("a repeated snapshot adds only what is new", () => {
  const reader = new ChunkReader();
  const event = (delta: string, seriesSnapshot = false): TaskEvent => ({
    id: "",
    taskId: "",
    index: 0,
    timestamp: 0,
    type: "ai.text-delta",
    level: "info",
    data: { type: "text-delta", id: "0", delta },
    seriesId: "text:0",
    seriesMode: "accumulate",
    seriesAccField: "delta",
    seriesSnapshot,
  });
  const deltas = [
    event("Hel", true),
    event("lo"),
    event("Hello wor", true),
    event("Hello wor", true),
    event("ld"),
  ].flatMap((event) => reader.chunksOf(event)).map(({ delta }) => delta);
  assert.deepEqual(deltas, ["Hel", "lo", " wor", "ld"]);
});

Deno.test("endOf() adds the final chunk if the answer had none", () => {
  const error = (errorText: string) => [{ type: "error", errorText }];
  assert.deepEqual(new ChunkReader().endOf("completed"), []);
  assert.deepEqual(new ChunkReader().endOf("cancelled"), [
    { type: "abort", reason: "The answer was stopped" },
  ]);
  assert.deepEqual(
    new ChunkReader().endOf("timeout"),
    error("The answer took too long and was stopped"),
  );
  assert.deepEqual(new ChunkReader().endOf("deleted"), error("The answer was deleted"));
  assert.deepEqual(new ChunkReader().endOf("failed"), error("The answer failed"));
  const failed = new ChunkReader();
  const data = { status: "failed", error: { message: "No more credit" } };
  assert.deepEqual(failed.chunksOf({ type: "taskcast:status", data }), []);
  assert.deepEqual(failed.endOf("failed"), error("No more credit"));
  const finished = new ChunkReader();
  assert.equal(finished.chunksOf({ type: "ai.error", data: { type: "error" } }).length, 1);
  assert.deepEqual(finished.endOf("failed"), []);
});
