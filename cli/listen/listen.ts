import { SettingsError } from "../config/settings_error.ts";
import type {
  Bounds,
  Handle,
  ListenAddress,
  Listener,
  Listening,
  ListenTarget,
} from "./contract.ts";
import { listenOnLoopback } from "./loopback/listen.ts";

/**
 * Serves web-standard requests on a port.
 *
 * @param listener The server to use. @default that of the runtime, see {@linkcode defaultListener}
 * @throws {ListenError} If the port is taken or not allowed.
 * @throws {SettingsError} If this runtime does not have that server.
 */
export async function listen(
  handle: Handle,
  { port, host }: ListenTarget,
  bounds: Bounds,
  listener: Listener = defaultListener(),
): Promise<Listening> {
  if (listener === "deno" && !("Deno" in globalThis)) {
    throw new SettingsError("listener: deno is the server of Deno, and this is another runtime");
  }
  if (listener === "deno") {
    const { listenOnDeno } = await import("./deno_server.ts");
    return await onEach((address) => listenOnDeno(handle, address, bounds));
  }
  const { listenOnNode } = await import("./node_server.ts");
  const { ConnectionGuard } = await import("./connections/guard.ts");
  const guard = new ConnectionGuard(bounds.limits);
  return await onEach((address) => listenOnNode(handle, address, bounds, guard));

  function onEach(listenOn: (address: ListenAddress) => Promise<Listening>): Promise<Listening> {
    return host === undefined ? listenOnLoopback(port, listenOn) : listenOn({ port, host });
  }
}

/**
 * Returns the runtime's own server. On Deno, `node:http` needs a third of the memory for each idle
 * reader but twice the CPU time for each request (benchmarks/README.md), and only `Deno.serve` puts
 * our spans into the traces that Deno itself records.
 */
function defaultListener(): Listener {
  return "Deno" in globalThis ? "deno" : "node";
}
