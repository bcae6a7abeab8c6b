import { serve } from "../network/serve.ts";

/** A server that plays scripted answers and records its requests. */
export interface ScriptedServer {
  url: string;
  requests: { method: string; url: string; headers: Headers }[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** Answers each request with the next answer, and repeats the last one. */
export function scriptedServer(
  ...answers: ((request: Request) => Response | Promise<Response>)[]
): ScriptedServer {
  const requests: ScriptedServer["requests"] = [];
  const { url, ...server } = serve((request) => {
    const answer = answers[Math.min(requests.length, answers.length - 1)]!;
    // A copy, since the parts of a request are released with it.
    requests.push({
      method: request.method,
      url: request.url,
      headers: new Headers(request.headers),
    });
    return answer(request);
  });
  return { url, requests, ...server };
}

/** Returns an SSE answer of these texts, which then ends. */
export function sse(...texts: string[]): () => Response {
  return () => new Response(texts.join(""), { headers: { "content-type": "text/event-stream" } });
}

/** Returns the frame of an event, with the fields that clients need. */
export function eventFrame(id: string, data: unknown, more: object = {}): string {
  const envelope = { filteredIndex: 0, rawIndex: 0, type: "a", level: "info", data, ...more };
  return `event: taskcast.event\ndata: ${JSON.stringify(envelope)}\nid: ${id}\n\n`;
}

/** Returns the last frame. */
export function doneFrame(id: string, reason = "completed"): string {
  return `event: taskcast.done\ndata: ${JSON.stringify({ reason })}\nid: ${id}\n\nretry: 30000\n\n`;
}
