/** A proxy on loopback that breaks connections and is slow, as networks do and are. */
export interface CuttingProxy {
  url: string;
  /** Connections that were broken. */
  readonly cuts: number;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Forwards to a server and breaks each connection after as many bytes in either direction as
 * `bytesUntilCut` says: hard, wherever that is, in the middle of a frame too.
 *
 * @param bytesUntilCut Asked once for each connection; `Infinity` leaves it alone.
 * @param delayMs Milliseconds by which everything is late, either way.
 */
export function cuttingProxy(
  targetUrl: string,
  bytesUntilCut: () => number,
  { delayMs = 0 }: { delayMs?: number } = {},
): CuttingProxy {
  const { hostname, port } = new URL(targetUrl);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  let cuts = 0;

  async function pump(from: Deno.Conn, to: Deno.Conn, budget: { left: number }, cut: () => void) {
    const buffer = new Uint8Array(16 * 1024);
    for (;;) {
      const count = await from.read(buffer);
      if (count === null) return cut();
      const passed = buffer.subarray(0, Math.min(count, budget.left));
      budget.left -= passed.length;
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      for (let at = 0; at < passed.length;) at += await to.write(passed.subarray(at));
      if (budget.left === 0) {
        cuts++;
        return cut();
      }
    }
  }

  async function serve(client: Deno.Conn): Promise<void> {
    const server = await Deno.connect({ hostname, port: Number(port) });
    open.add(client).add(server);
    const cut = () => {
      for (const end of [client, server]) {
        if (!open.delete(end)) continue;
        end.close();
      }
    };
    const budget = { left: Math.ceil(bytesUntilCut()) };
    await Promise.all([
      pump(client, server, budget, cut).catch(cut),
      pump(server, client, budget, cut).catch(cut),
    ]);
  }

  const accepting = (async () => {
    for await (const client of listener) void serve(client);
  })();

  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    get cuts() {
      return cuts;
    },
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const end of open) end.close();
      open.clear();
      await accepting;
    },
  };
}
