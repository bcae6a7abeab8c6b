import { serve } from "../network/serve.ts";

/** An endpoint with the part of OpenAI's chat API that the example uses. */
export interface OpenAiStandIn {
  baseUrl: string;
  /** Requests received. */
  requests: { model: string; stream: boolean; messages: { role: string; content: string }[] }[];
  /** Sends a part of the answer to the waiting request. */
  say(delta: string): void;
  /** Ends the answer properly, or breaks it off. */
  finish(how?: "break off"): void;
  /** Number of answers whose reader has disconnected. */
  readonly abandoned: number;
  [Symbol.asyncDispose](): Promise<void>;
}

export function openAiStandIn(): OpenAiStandIn {
  const requests: OpenAiStandIn["requests"] = [];
  const open = new Set<ReadableStreamDefaultController<Uint8Array>>();
  const encoder = new TextEncoder();
  let abandoned = 0;
  const { url, ...server } = serve(
    async (request) => {
      if (!new URL(request.url).pathname.endsWith("/v1/chat/completions")) {
        return new Response("not found", { status: 404 });
      }
      requests.push(await request.json());
      let own: ReadableStreamDefaultController<Uint8Array>;
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => void open.add(own = controller),
        cancel() {
          open.delete(own);
          abandoned++;
        },
      });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    },
  );
  const send = (data: string) => {
    for (const controller of open) controller.enqueue(encoder.encode(`data: ${data}\n\n`));
  };
  return {
    baseUrl: `${url}/v1`,
    requests,
    get abandoned() {
      return abandoned;
    },
    say: (delta) => send(JSON.stringify({ choices: [{ index: 0, delta: { content: delta } }] })),
    finish(how) {
      if (how === undefined) send("[DONE]");
      for (const controller of open) controller.close();
      open.clear();
    },
    ...server,
  };
}
