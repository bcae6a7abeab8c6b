import type { TaskEngine } from "@taskcast/core";
import { EventSourceParserStream } from "eventsource-parser/stream";

/** An OpenAI-compatible endpoint, and the model to use. */
export interface ChatSettings {
  baseUrl: string;
  apiKey?: string;
  model: string;
}

/** Requests an answer and streams it into a task, then ends the task. Never rejects. */
export async function answer(
  engine: TaskEngine,
  taskId: string,
  prompt: string,
  settings: ChatSettings,
): Promise<void> {
  const controller = new AbortController();
  // Stops the model when the task is cancelled or its ttl is over, to save tokens.
  const stopWatching = await engine.watchEnd(taskId, () => controller.abort());
  try {
    await engine.transitionTask(taskId, "running");
    for await (const delta of deltas(prompt, settings, controller.signal)) {
      await engine.publishEvent(taskId, {
        type: "llm.delta",
        data: { delta },
        seriesId: "answer",
        seriesMode: "accumulate",
      });
    }
    await engine.transitionTask(taskId, "completed");
  } catch (error) {
    if (controller.signal.aborted) return;
    const message = error instanceof Error ? error.message : String(error);
    await engine.transitionTask(taskId, "failed", { error: { message } }).catch(console.error);
  } finally {
    stopWatching();
  }
}

/** Yields the parts of the answer as the endpoint streams them. */
async function* deltas(
  prompt: string,
  { baseUrl, apiKey, model }: ChatSettings,
  signal: AbortSignal,
): AsyncGenerator<string, void> {
  const response = await fetch(`${baseUrl}/chat/completions`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
    },
    body: JSON.stringify({ model, stream: true, messages: [{ role: "user", content: prompt }] }),
    signal,
  });
  if (!response.ok || response.body === null) {
    throw new Error(`The model's endpoint answered ${response.status}`);
  }
  const messages = response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream());
  for await (const { data } of messages) {
    if (data === "[DONE]") return;
    const delta: string | undefined = JSON.parse(data).choices?.[0]?.delta?.content;
    if (delta) yield delta;
  }
  throw new Error("The model's answer broke off");
}
