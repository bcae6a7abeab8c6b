/** A server on a free port of loopback. */
export interface Serving {
  url: string;
  /** Breaks all connections. */
  cut(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Serves until disposed, and then closes every connection: it waits neither for answers that never
 * come nor for sockets that a browser keeps in reserve.
 */
export function serve(handle: (request: Request) => Response | Promise<Response>): Serving {
  let port = 0;
  const listen = () => {
    const stop = new AbortController();
    const server = Deno.serve(
      { port, hostname: "127.0.0.1", signal: stop.signal, onListen() {} },
      (request) => handle(request),
    );
    port = server.addr.port;
    return async () => {
      stop.abort();
      await server.finished;
    };
  };
  let end = listen();
  return {
    url: `http://127.0.0.1:${port}`,
    async cut() {
      await end();
      end = listen();
    },
    [Symbol.asyncDispose]: () => end(),
  };
}
