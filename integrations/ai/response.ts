import { toJsonLine } from "@taskcast/core/protocol";
import { ANSWER_HEADER } from "./answer_names.ts";
import type { ChunkFields } from "./chunks/chunks.ts";

/** Format of an answer: chunks of a UI message, or its text alone. */
export type ChatProtocol = "ui-message" | "text";

/** Milliseconds between heartbeats, which keep intermediaries from closing the connection. */
const HEARTBEAT_MS = 5_000;

/**
 * Returns the response with an answer, in a format that the AI SDK's transports read.
 *
 * @param taskId The id of the answer's task, for the header `taskcast-answer`.
 * @param signal Ends the reading and breaks the response.
 * @param onCancel Called when the reader of the response disconnects. Must abort the signal.
 */
export function responseOf(
  chunks: AsyncGenerator<ChunkFields, void>,
  protocol: ChatProtocol,
  { taskId, signal, onCancel }: { taskId: string; signal: AbortSignal; onCancel: () => void },
): Response {
  const utf8 = new TextEncoder();
  const { headers, encode, last, heartbeat } = PROTOCOLS[protocol];
  let timer: ReturnType<typeof setInterval> | undefined;
  let stop = () => {};
  const cleanUp = () => {
    clearInterval(timer);
    signal.removeEventListener("abort", stop);
  };
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      stop = () => {
        cleanUp();
        controller.error(signal.reason);
        // Closes the generator if it is not waiting for a chunk, and so would not see the abort.
        chunks.return().catch(() => {});
      };
      if (signal.aborted) return stop();
      signal.addEventListener("abort", stop, { once: true });
      if (heartbeat === undefined) return;
      const bytes = utf8.encode(heartbeat);
      timer = setInterval(() => {
        if (controller.desiredSize! > 0) controller.enqueue(bytes);
      }, HEARTBEAT_MS);
    },
    async pull(controller) {
      try {
        for (;;) {
          const { done, value } = await chunks.next();
          if (signal.aborted) return;
          const text = done ? last : encode(value);
          if (text !== "") controller.enqueue(utf8.encode(text));
          if (done) break;
          if (text !== "") return;
        }
        cleanUp();
        controller.close();
      } catch (error) {
        // An error instead of an end, because the page would take the partial answer for complete.
        cleanUp();
        controller.error(error);
        chunks.return().catch(() => {});
      }
    },
    cancel: onCancel,
  });
  // Pages of other origins can read this header only if it is exposed.
  const naming = { [ANSWER_HEADER]: taskId, "access-control-expose-headers": ANSWER_HEADER };
  return new Response(body, { headers: { ...headers, ...naming } });
}

interface Protocol {
  headers: Record<string, string>;
  encode(chunk: ChunkFields): string;
  last: string;
  heartbeat?: string;
}

const UNBUFFERED = { "cache-control": "no-cache, no-transform", "x-accel-buffering": "no" };

const PROTOCOLS: Record<ChatProtocol, Protocol> = {
  "ui-message": {
    headers: {
      ...UNBUFFERED,
      "content-type": "text/event-stream",
      "x-vercel-ai-ui-message-stream": "v1",
    },
    encode: (chunk) => `data: ${toJsonLine(chunk)}\n\n`,
    last: "data: [DONE]\n\n",
    heartbeat: ": heartbeat\n\n",
  },
  text: {
    headers: { ...UNBUFFERED, "content-type": "text/plain; charset=utf-8" },
    encode(chunk) {
      // The text protocol has no other way to report an error.
      if (chunk.type === "error") throw new Error(String(chunk.errorText));
      return chunk.type === "text-delta" ? String(chunk.delta) : "";
    },
    last: "",
  },
};

/** The supported formats. */
export const CHAT_PROTOCOLS: readonly string[] = Object.keys(PROTOCOLS);
