import { openDescriptors } from "./connections/descriptors.ts";
import type { Bounds, ConnectionInfo, Handle, ListenAddress, Listening } from "./contract.ts";
import { listenError } from "./listen_error.ts";

/** Milliseconds between looks at how many connections there are. */
const LOOK_MS = 2_000;

/** Milliseconds until it is tried to listen again. */
const AGAIN_MS = 50;

/**
 * Serves with the server of Deno.
 *
 * That server tells of requests, and not of the connections below them. So connections are counted as
 * open descriptors, and what bounds them is listening: at the bound the server is shut down, which
 * closes every connection without a request in progress and lets the others end; then another one
 * listens, or none while there are still too many. Running out of descriptors ends the listening of
 * a server, and is met in the same way.
 */
export async function listenOnDeno(
  handle: Handle,
  address: ListenAddress,
  bounds: Bounds,
): Promise<Listening> {
  const server = new DenoServer(handle, address, bounds);
  await server.start();
  return server;
}

class DenoServer implements Listening {
  readonly #handle: Handle;
  readonly #address: ListenAddress;
  readonly #bounds: Bounds;
  /** With requests in progress; at most one of them listens. */
  readonly #servers = new Set<Deno.HttpServer>();
  #listening?: Deno.HttpServer<Deno.NetAddr>;
  readonly #refused = { connections: 0, address: 0, descriptors: 0 };
  #ownDescriptors = 0;
  #isStopping = false;
  #timer?: ReturnType<typeof setTimeout>;
  port = 0;

  constructor(handle: Handle, address: ListenAddress, bounds: Bounds) {
    this.#handle = handle;
    this.#address = address;
    this.#bounds = bounds;
  }

  async start(): Promise<void> {
    this.#ownDescriptors = await openDescriptors() ?? 0;
    try {
      this.#listen(this.#address.port);
    } catch (error) {
      throw listenError(this.#address, error);
    }
    this.#later(LOOK_MS);
  }

  async shutdown(): Promise<void> {
    this.#isStopping = true;
    clearTimeout(this.#timer);
    await Promise.allSettled([...this.#servers].map((server) => server.shutdown()));
  }

  #listen(port: number): void {
    const server = Deno.serve(
      { port, hostname: this.#address.host, onListen: () => {} },
      (request, info) => this.#handle(request, new Connection(info)),
    );
    this.#listening = server;
    this.#servers.add(server);
    this.port = server.addr.port;
    // It rejects when there are no descriptors left; an error that nobody catches ends the process.
    server.finished.then(() => this.#servers.delete(server), () => {
      this.#shed("descriptors");
      this.#later(AGAIN_MS);
    });
  }

  async #look(): Promise<void> {
    if (this.#isStopping) return;
    const { maxConnections } = this.#bounds.limits;
    const open = (await openDescriptors() ?? 0) - this.#ownDescriptors;
    if (this.#isStopping) return;
    if (open < maxConnections) this.#resume();
    else this.#shed("connections");
    this.#later(this.#listening === undefined ? AGAIN_MS : LOOK_MS);
  }

  /** Closes every connection that has no request in progress, and accepts no others. */
  #shed(reason: "connections" | "descriptors"): void {
    const server = this.#listening;
    if (server === undefined) return;
    this.#listening = undefined;
    server.shutdown().catch(() => {}); // Told by `finished`.
    this.#refused[reason]++;
    this.#bounds.onRefused(this.#refused);
  }

  #resume(): void {
    if (this.#listening !== undefined) return;
    try {
      this.#listen(this.port);
    } catch {
      // The port is not free for a moment, or there are no descriptors: the next look tries again.
    }
  }

  #later(delayMs: number): void {
    clearTimeout(this.#timer);
    if (this.#isStopping) return;
    const timer = setTimeout(() => void this.#look(), delayMs);
    this.#timer = timer;
    Deno.unrefTimer(timer as unknown as number);
  }
}

/** Asks the server for the address when somebody wants to know it, which is seldom. */
class Connection implements ConnectionInfo {
  readonly #info: Deno.ServeHandlerInfo<Deno.NetAddr>;

  constructor(info: Deno.ServeHandlerInfo<Deno.NetAddr>) {
    this.#info = info;
  }

  get remoteAddress(): string {
    return this.#info.remoteAddr.hostname;
  }
}
