import { toJsonLine } from "@taskcast/core/protocol";
import { ANSWER_HEADER } from "./answer_names.ts";
import type { ChunkFields } from "./chunks/chunks.ts";

/** How an answer is told: as chunks of a UI message, or as nothing but its text. */
export type ChatProtocol = "ui-message" | "text";

/** Milliseconds between signs of life, so that nothing between here and the page hangs up. */
const HEARTBEAT_MS = 5_000;

/**
 * Makes the response that the transports of the AI SDK read.
 *
 * @param taskId The answer, which the response names.
 * @param signal Ends the reading and breaks the response.
 * @param onCancel Called when whoever reads the response goes away; is to abort the signal.
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
        // Perhaps nobody waits for a chunk, so that the reading would never notice.
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
        // Not closed: a page would take what it has for the whole answer.
        cleanUp();
        controller.error(error);
        chunks.return().catch(() => {});
      }
    },
    cancel: onCancel,
  });
  // Pages of other origins see no header of ours unless it is named.
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
      // There is no other way to tell in this protocol.
      if (chunk.type === "error") throw new Error(String(chunk.errorText));
      return chunk.type === "text-delta" ? String(chunk.delta) : "";
    },
    last: "",
  },
};

/** How an answer may be told. */
export const CHAT_PROTOCOLS: readonly string[] = Object.keys(PROTOCOLS);
