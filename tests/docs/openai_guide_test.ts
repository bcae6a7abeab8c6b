import { TaskcastServerClient } from "@taskcast/server-sdk";
import assert from "node:assert/strict";
import { openAiStandIn } from "../../testing/servers/openai_stand_in.ts";
import { startServer } from "../../testing/servers/test_server.ts";
import { until } from "../../testing/sse/sse.ts";
import { documents } from "../../testing/texts/markdown.ts";

// Runs the code of docs/guides/stream-an-openai-answer.md unchanged.

const FILE = "docs/guides/stream-an-openai-answer.md";
const { blocks } = (await documents()).find(({ file }) => file === FILE)!;
const { ask }: {
  ask(
    taskcast: TaskcastServerClient,
    provider: { baseUrl: string; apiKey: string; model: string },
    prompt: string,
  ): Promise<string>;
} = await import(`data:application/typescript,${encodeURIComponent(blocks[0]!.text)}`);

async function startAnswer() {
  const server = startServer();
  const openAi = openAiStandIn();
  const taskcast = new TaskcastServerClient({ baseUrl: server.url });
  const provider = { baseUrl: openAi.baseUrl, apiKey: "key", model: "small" };
  const id = await ask(taskcast, provider, "Hello?");
  await until(() => openAi.requests.length === 1, "the model is asked");
  return {
    id,
    openAi,
    taskcast,
    ended: () =>
      until(
        async () => (await taskcast.getTask(id)).completedAt !== undefined,
        "the task has ended",
      ),
    async [Symbol.asyncDispose]() {
      await openAi[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

Deno.test(`${FILE}: an answer becomes the text of a completed task`, async () => {
  await using answer = await startAnswer();
  for (const delta of ["Hel", "lo"]) answer.openAi.say(delta);
  answer.openAi.finish();
  await answer.ended();
  const { status, params } = await answer.taskcast.getTask(answer.id);
  assert.deepEqual({ status, params }, { status: "completed", params: { prompt: "Hello?" } });
  const { events } = await answer.taskcast.getHistory(answer.id, {
    filter: { types: ["llm.delta"] },
    seriesFormat: "accumulated",
  });
  assert.deepEqual(events.at(-1)!.data, { delta: "Hello" });
});

Deno.test(`${FILE}: an answer that breaks off is a failed task`, async () => {
  await using answer = await startAnswer();
  answer.openAi.say("Hel");
  answer.openAi.finish("break off");
  await answer.ended();
  const { status, error } = await answer.taskcast.getTask(answer.id);
  assert.equal(status, "failed");
  assert.match(error!.message, /broke off/);
});

Deno.test(`${FILE}: a cancelled task stops the model`, async () => {
  await using answer = await startAnswer();
  answer.openAi.say("Hel");
  const isStored = async () => (await answer.taskcast.getHistory(answer.id)).events.length > 1;
  await until(isStored, "the first part is stored");
  await answer.taskcast.transitionTask(answer.id, "cancelled");
  await until(() => answer.openAi.abandoned === 1, "the model's stream was left");
  assert.equal((await answer.taskcast.getTask(answer.id)).status, "cancelled");
});
