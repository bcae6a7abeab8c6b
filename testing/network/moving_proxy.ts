/** A proxy on loopback whose target can change, and which can fall silent. */
export interface MovingProxy {
  url: string;
  /** Number of connections so far. */
  readonly connections: number;
  /** Sets the target of later connections. */
  moveTo(targetUrl: string): void;
  /** Keeps existing connections open but passes nothing on, not even that one was closed. */
  silence(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts a proxy. */
export function movingProxy(targetUrl: string): MovingProxy {
  let target = new URL(targetUrl);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  const silent = new Set<Deno.Conn>();
  let connections = 0;

  function close(...ends: Deno.Conn[]): void {
    for (const end of ends) if (open.delete(end)) end.close();
  }

  async function pump(from: Deno.Conn, to: Deno.Conn): Promise<void> {
    const buffer = new Uint8Array(16 * 1024);
    for (;;) {
      const count = await from.read(buffer).catch(() => null);
      if (silent.has(from)) {
        if (count === null) return;
        continue;
      }
      if (count === null) return close(from, to);
      for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
    }
  }

  async function serve(client: Deno.Conn): Promise<void> {
    connections++;
    open.add(client);
    try {
      const server = await Deno.connect({ hostname: target.hostname, port: Number(target.port) });
      open.add(server);
      const cut = () => close(client, server);
      await Promise.all([pump(client, server).catch(cut), pump(server, client).catch(cut)]);
    } catch {
      close(client);
    }
  }

  const accepting = (async () => {
    for await (const client of listener) void serve(client);
  })();

  return {
    url: `redis://127.0.0.1:${listener.addr.port}`,
    get connections() {
      return connections;
    },
    moveTo(url) {
      target = new URL(url);
    },
    silence() {
      for (const end of open) silent.add(end);
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      close(...open);
      await accepting;
    },
  };
}
