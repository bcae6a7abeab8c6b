/** Something that listens on a free port of loopback. */
export interface Serving {
  url: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Serves until it is disposed of, and then closes every connection: it waits neither for answers
 * that never come nor for sockets that a browser keeps at hand.
 */
export function serve(handle: (request: Request) => Response | Promise<Response>): Serving {
  const stop = new AbortController();
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", signal: stop.signal, onListen() {} },
    (request) => handle(request),
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await server.finished;
    },
  };
}
