/** A request that a webhook receiver got. */
export interface Received {
  path: string;
  headers: Record<string, string>;
  body: string;
  /** Returns the same request again, with changes. */
  request(changes?: { headers?: Record<string, string>; body?: string }): Request;
}

/** A receiver of webhooks. */
export interface Receiver {
  url: string;
  received: Received[];
}

/** Runs a receiver that answers with a status, possibly after a delay. */
export async function withReceiver(
  answer: (received: Received) => number | Promise<number>,
  use: (receiver: Receiver) => Promise<void>,
): Promise<void> {
  const received: Received[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    const headers = Object.fromEntries(request.headers);
    const { pathname: path } = new URL(request.url);
    const body = await request.text();
    const got: Received = {
      path,
      headers,
      body,
      request: (changes = {}) =>
        new Request(request.url, {
          method: "POST",
          headers: { ...headers, ...changes.headers },
          body: changes.body ?? body,
        }),
    };
    received.push(got);
    return new Response(null, { status: await answer(got) });
  });
  try {
    await use({ url: `http://127.0.0.1:${server.addr.port}`, received });
  } finally {
    await server.shutdown();
  }
}
