import type { UIMessage, UIMessageChunk } from "ai";
import { DefaultChatTransport } from "ai";
import assert from "node:assert/strict";
import { createSqliteAdapters } from "@taskcast/sqlite";
import { TaskEngine } from "@taskcast/core";
import type { ChatApi } from "../../testing/pages/chat_app.ts";
import { chatOf, messageOf, post, resume, startChatApp } from "../../testing/pages/chat_app.ts";
import { finish, Gate, scriptedModel, textParts } from "../../testing/pages/scripted_model.ts";
import { withFile } from "../../testing/temp_file.ts";
import { startServer } from "../../testing/servers/test_server.ts";

/** Starts a chat in its own process. */
async function startChatProcess(
  path: string,
  ttl: number,
  stops: "stops" | "goes on",
): Promise<ChatApi & { [Symbol.asyncDispose](): Promise<void> }> {
  const program = new URL("../../testing/pages/chat_program.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-check", program, path, String(ttl), stops],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const output = child.stdout.getReader();
  const { value } = await output.read();
  return {
    transport: new DefaultChatTransport<UIMessage>({ api: new TextDecoder().decode(value).trim() }),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await output.cancel();
      await child.status;
    },
  };
}

/** Reads until this much of the text has arrived. */
async function readText(
  reader: ReadableStreamDefaultReader<UIMessageChunk>,
  length: number,
): Promise<UIMessageChunk[]> {
  const chunks: UIMessageChunk[] = [];
  for (let told = 0; told < length;) {
    const { done, value } = await reader.read();
    assert(!done, "the answer continues");
    chunks.push(value);
    if (value.type === "text-delta") told += value.delta.length;
  }
  return chunks;
}

Deno.test("ai: after kill -9 during an answer, the partial answer is sent and the ttl ends it", async () => {
  await withFile(async (path) => {
    const half = "Half 😀";
    {
      await using killed = await startChatProcess(path, 8, "stops");
      await readText((await post(killed)).getReader(), half.length);
    }
    await using app = await startChatProcess(path, 8, "goes on");
    const reader = (await resume(app))!.getReader();
    const chunks = await readText(reader, half.length);
    assert.deepEqual(chunks.filter(({ type }) => type === "text-delta"), [
      { type: "text-delta", id: "0", delta: half },
    ]);
    const rest: UIMessageChunk[] = [];
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      rest.push(next.value);
    }
    assert.deepEqual(rest, [
      { type: "error", errorText: "The answer took too long and was stopped" },
    ]);
    assert.equal(await resume(app), null);
    const answer = await messageOf(await post(app));
    assert.equal((answer.parts.at(-1) as { text: string }).text, "Half 😀 of it");
  });
});

Deno.test("ai: an answer outlives the process that reads it", async () => {
  await withFile(async (path) => {
    const gate = new Gate();
    const { broadcast, shortTerm } = createSqliteAdapters({ path });
    await using engine = new TaskEngine({ broadcast, shortTermStore: shortTerm });
    const model = scriptedModel(async function* (signal) {
      const [start, first, ...parts] = textParts("Half 😀 of it", 6);
      yield start!;
      yield first!;
      await gate.pass(signal);
      yield* parts;
      yield finish();
    });
    await using producer = startChatApp({ chat: chatOf(engine), model });
    const uninterrupted = post(producer).then(messageOf);
    await gate.reached;
    {
      await using reader = await startChatProcess(path, 60, "goes on");
      await readText((await resume(reader))!.getReader(), 5);
    }
    await using restarted = await startChatProcess(path, 60, "goes on");
    const resumed = (await resume(restarted))!;
    gate.open();
    assert.deepEqual(await messageOf(resumed), await uninterrupted);
  });
});

Deno.test("ai: an engine that closes breaks the stream instead of ending it", async () => {
  const reported: unknown[] = [];
  const server = startServer();
  const gate = new Gate();
  const model = scriptedModel(async function* (signal) {
    yield* textParts("Half");
    await gate.pass(signal);
    yield finish();
  });
  const pumped: Promise<unknown>[] = [];
  await using app = startChatApp({
    chat: chatOf(server.engine, {
      waitUntil: (promise) => pumped.push(promise),
      onError: (error) => String(reported.push(error)),
    }),
    model,
  });
  const reader = (await post(app)).getReader();
  await readText(reader, 4);
  await server[Symbol.asyncDispose]();
  await assert.rejects(async () => {
    while (!(await reader.read()).done);
  }, TypeError);
  gate.open();
  await Promise.all(pumped);
  assert.match(String(reported[0]), /engine is closed/i);
});
