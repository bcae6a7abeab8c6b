import type { ChunkFields } from "./chunks.ts";

/** How an answer may be told. */
export const CHAT_PROTOCOLS = ["ui-message", "text"] as const;

/** How an answer is told: as chunks of a UI message, or as nothing but its text. */
export type ChatProtocol = (typeof CHAT_PROTOCOLS)[number];

/** Milliseconds between signs of life, so that nothing between here and the page hangs up. */
const HEARTBEAT_MS = 15_000;

/** Makes the response that the transports of the AI SDK read. Cancelling its body calls `onCancel`. */
export function responseOf(
  chunks: AsyncGenerator<ChunkFields, void>,
  protocol: ChatProtocol,
  onCancel: () => void,
): Response {
  const utf8 = new TextEncoder();
  const { headers, encode, last, heartbeat } = PROTOCOLS[protocol];
  let timer: ReturnType<typeof setInterval> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
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
          const text = done ? last : encode(value);
          if (text !== "") controller.enqueue(utf8.encode(text));
          if (done) break;
          if (text !== "") return;
        }
        clearInterval(timer);
        controller.close();
      } catch (error) {
        // Not closed: a page would take what it has for the whole answer.
        clearInterval(timer);
        controller.error(error);
      }
    },
    cancel() {
      clearInterval(timer);
      onCancel();
    },
  });
  return new Response(body, { headers });
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
    encode: (chunk) => `data: ${JSON.stringify(chunk)}\n\n`,
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
