import process from "node:process";
import type { ConnectionLimits } from "./connections/limits.ts";
import type { ListenAddress } from "./listen_error.ts";
import type { Listener } from "./listeners.ts";
import { listenOnLoopback } from "./loopback/listen.ts";
import { SettingsError } from "./settings_error.ts";

/** A server that is listening. */
export interface Listening {
  /** The port that it got. */
  port: number;
  /** Takes no new connections and resolves when the open ones are done. */
  shutdown(): Promise<void>;
}

/** What the runtime knows of a request's connection; made to be passed to `app.fetch`. */
export interface ConnectionInfo {
  /** The address of whoever connected; unknown when the connection is gone already. */
  remoteAddress: string | undefined;
}

/** How many connections there may be, and what is to be told of those that were refused. */
export interface Bounds {
  limits: ConnectionLimits;
  /** Called at most once a second, with all that were refused so far by the bound that they met. */
  onRefused: (refused: Readonly<Record<"connections" | "address" | "descriptors", number>>) => void;
}

/** Where a server is to listen; without a host on loopback, 127.0.0.1 and ::1. */
export interface ListenTarget {
  port: number;
  host?: string;
}

/** What answers requests. */
export type Handle = (request: Request, info: ConnectionInfo) => Response | Promise<Response>;

/**
 * Serves web-standard requests on a port.
 *
 * @param listener With which server. @default what {@linkcode defaultListener} says
 * @throws {ListenError} When the port is taken or not allowed.
 * @throws {SettingsError} When this runtime does not have that server.
 */
export async function listen(
  handle: Handle,
  { port, host }: ListenTarget,
  bounds: Bounds,
  listener: Listener = defaultListener(),
): Promise<Listening> {
  const isDeno = "Deno" in globalThis;
  if (listener === "deno" && !isDeno) {
    throw new SettingsError("listener: deno is the server of Deno, and this is another runtime");
  }
  if (listener === "deno") {
    const { listenOnDeno } = await import("./listen_deno.ts");
    return await onEach((address) => listenOnDeno(handle, address, bounds));
  }
  const { listenOnNode } = await import("./listen_node.ts");
  const { ConnectionGuard } = await import("./connections/guard.ts");
  const guard = new ConnectionGuard(bounds.limits);
  return await onEach((address) => listenOnNode(handle, address, bounds, guard));

  function onEach(listenOn: (address: ListenAddress) => Promise<Listening>): Promise<Listening> {
    return host === undefined ? listenOnLoopback(port, listenOn) : listenOn({ port, host });
  }
}

/**
 * The runtime's own. `node:http` on Deno holds waiting readers in a third of the memory, but takes
 * twice the processor's time for a request, see benchmarks/README.md, and where Deno itself traces,
 * only its own server puts our spans into those of the runtime.
 */
function defaultListener(): Listener {
  return "Deno" in globalThis ? "deno" : "node";
}

/** Calls `onSignal` for each SIGINT and SIGTERM until the returned function is called. */
export function onStopSignal(onSignal: (signal: NodeJS.Signals) => void): () => void {
  return onSignals(["SIGINT", "SIGTERM"], onSignal);
}

/** Calls `onSignal` for each of these signals until the returned function is called. */
export function onSignals(
  signals: readonly NodeJS.Signals[],
  onSignal: (signal: NodeJS.Signals) => void,
): () => void {
  const handlers = signals.map((signal) => ({ signal, handler: () => onSignal(signal) }));
  for (const { signal, handler } of handlers) process.on(signal, handler);
  return () => {
    for (const { signal, handler } of handlers) process.off(signal, handler);
  };
}
