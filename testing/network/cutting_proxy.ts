/** A slow proxy on loopback that breaks connections, as networks do. */
export interface CuttingProxy {
  url: string;
  /** Number of broken connections. */
  readonly cuts: number;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Forwards to a server, and breaks each connection abruptly after `bytesUntilCut` bytes in either
 * direction, even in the middle of a frame.
 *
 * @param bytesUntilCut Called once for each connection; `Infinity` never breaks it.
 * @param delayMs Delay of all data in milliseconds, in both directions.
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
