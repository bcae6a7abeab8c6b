/** A proxy on loopback whose connections can go silent, as in a network that drops packets. */
export interface SilencingProxy {
  url: string;
  /** Number of connections so far. */
  readonly count: number;
  /** Passes nothing more on existing connections, without breaking any of them. */
  silence(which?: (index: number) => boolean): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Forwards to a server. New connections always work. */
export function silencingProxy(targetUrl: string): SilencingProxy {
  const { hostname, port } = new URL(targetUrl);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  const links: { silent: boolean }[] = [];

  async function pump(from: Deno.Conn, to: Deno.Conn, link: { silent: boolean }): Promise<void> {
    const buffer = new Uint8Array(16 * 1024);
    try {
      for (;;) {
        const count = await from.read(buffer);
        if (count === null) break;
        if (link.silent) continue;
        for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
      }
    } catch {
      // Either end broke it.
    }
    // A silent connection does not even pass on that one side ended.
    for (const end of link.silent ? [from] : [from, to]) if (open.delete(end)) end.close();
  }

  async function serve(client: Deno.Conn): Promise<void> {
    const link = { silent: false };
    links.push(link);
    const server = await Deno.connect({ hostname, port: Number(port) });
    open.add(client).add(server);
    await Promise.all([pump(client, server, link), pump(server, client, link)]);
  }

  const serving: Promise<void>[] = [];
  const accepting = (async () => {
    for await (const client of listener) {
      serving.push(serve(client).catch(() => client.close()));
    }
  })();
  const url = new URL(targetUrl);
  url.port = `${listener.addr.port}`;

  return {
    url: url.href,
    get count() {
      return links.length;
    },
    silence(which = () => true) {
      for (const [i, link] of links.entries()) link.silent ||= which(i);
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const end of open) end.close();
      open.clear();
      await accepting;
      await Promise.all(serving);
    },
  };
}
