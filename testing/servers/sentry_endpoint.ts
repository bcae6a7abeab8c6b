/** An event as Sentry receives it. */
// deno-lint-ignore no-explicit-any
export type SentryEvent = any;

/** A stand-in for Sentry that receives envelopes on loopback. */
export interface SentryEndpoint {
  dsn: string;
  /** Types of all received items, in order. */
  types: string[];
  events: SentryEvent[];
  /** Everything that was received, as text. */
  text(): string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** @param status Status of its answers. */
export function startSentryEndpoint({ status = 200 }: { status?: number } = {}): SentryEndpoint {
  const received: string[] = [];
  const types: string[] = [];
  const events: SentryEvent[] = [];
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      if (!/\/api\/42\/envelope\/$/.test(new URL(request.url).pathname)) {
        return new Response(null, { status: 404 });
      }
      const zipped = request.headers.get("content-encoding") === "gzip";
      const body = zipped
        ? request.body!.pipeThrough(new DecompressionStream("gzip"))
        : request.body!;
      const bytes = new Uint8Array(await new Response(body).arrayBuffer());
      received.push(new TextDecoder().decode(bytes));
      for (const { type, payload } of itemsOf(bytes)) {
        types.push(type);
        if (type === "event") events.push(JSON.parse(payload));
      }
      return Response.json({}, { status });
    },
  );
  return {
    dsn: `http://abc123@127.0.0.1:${server.addr.port}/42`,
    types,
    events,
    text: () => received.join("\n"),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/**
 * Yields the items of an envelope: a line of JSON, then for each item a line of JSON and its
 * payload.
 */
function* itemsOf(bytes: Uint8Array): Generator<{ type: string; payload: string }, void> {
  let at = 0;
  const read = (length?: number) => {
    const newline = bytes.indexOf(10, at);
    const end = length !== undefined ? at + length : newline < 0 ? bytes.length : newline;
    const text = new TextDecoder().decode(bytes.subarray(at, end));
    at = end + 1;
    return text;
  };
  read();
  while (at < bytes.length) {
    const { type, length } = JSON.parse(read());
    yield { type, payload: read(length) };
  }
}
