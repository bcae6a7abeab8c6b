import type { ChunkFields, MessageChunk } from "./chunks/chunks.ts";

/** Chunks of a UI message, or texts, as they are generated. */
export type AnswerStream =
  | ReadableStream<MessageChunk | string>
  | AsyncIterable<MessageChunk | string>;

/** A result that can be streamed as a UI message, such as that of the AI SDK's `streamText`. */
export interface AnswerResult {
  /** Streams the result. */
  toUIMessageStream(): AnswerStream;
}

/** An answer that is being generated. */
export type AnswerSource = AnswerStream | AnswerResult;

/** Returns the chunks of an answer; texts become chunks. */
export function chunksOf(source: AnswerSource): ReadableStream<ChunkFields> {
  const stream = "toUIMessageStream" in source ? source.toUIMessageStream() : source;
  const readable = "getReader" in stream ? stream : ReadableStream.from(stream);
  return readable.pipeThrough(new TransformStream(textsToChunks()));
}

/** Cancels the stream of an answer that will not be read. Never rejects. */
export async function abandon(source: AnswerSource): Promise<void> {
  try {
    await chunksOf(source).cancel();
  } catch {
    // The stream has failed, or has another reader.
  }
}

/** Id of the only text in a text stream, the same as in the AI SDK. */
const TEXT_ID = "text-1";

function textsToChunks(): Transformer<MessageChunk | string, ChunkFields> {
  let isText = false;
  return {
    transform(chunk, controller) {
      if (typeof chunk !== "string") return controller.enqueue(chunk as ChunkFields);
      if (!isText) {
        isText = true;
        controller.enqueue({ type: "start" });
        controller.enqueue({ type: "start-step" });
        controller.enqueue({ type: "text-start", id: TEXT_ID });
      }
      controller.enqueue({ type: "text-delta", id: TEXT_ID, delta: chunk });
    },
    flush(controller) {
      if (!isText) return;
      controller.enqueue({ type: "text-end", id: TEXT_ID });
      controller.enqueue({ type: "finish-step" });
      controller.enqueue({ type: "finish" });
    },
  };
}
