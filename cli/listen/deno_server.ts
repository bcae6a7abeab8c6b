import { openDescriptors } from "./connections/descriptors.ts";
import type { Bounds, ConnectionInfo, Handle, ListenAddress, Listening } from "./contract.ts";
import { listenError } from "./listen_error.ts";

/** Milliseconds between two counts of connections. */
const COUNT_INTERVAL_MS = 2_000;

/** Milliseconds until the next attempt to listen. */
const RETRY_MS = 50;

/**
 * Serves with `Deno.serve`.
 *
 * It reports requests, but not their connections. Connections are therefore counted as open
 * descriptors, and bounded by listening: at the bound the server is shut down, which closes every
 * connection without a request in progress and lets the others end. Another server then listens, as
 * soon as there are few enough. A server also stops listening when descriptors run out, which is
 * handled in the same way.
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
  /** Servers with requests in progress; at most one of them listens. */
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
    this.#schedule(COUNT_INTERVAL_MS);
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
    // Rejects if descriptors run out; an uncaught error would end the process.
    server.finished.then(() => this.#servers.delete(server), () => {
      this.#shed("descriptors");
      this.#schedule(RETRY_MS);
    });
  }

  async #count(): Promise<void> {
    if (this.#isStopping) return;
    const { maxConnections } = this.#bounds.limits;
    const open = (await openDescriptors() ?? 0) - this.#ownDescriptors;
    if (this.#isStopping) return;
    if (open < maxConnections) this.#resume();
    else this.#shed("connections");
    this.#schedule(this.#listening === undefined ? RETRY_MS : COUNT_INTERVAL_MS);
  }

  /** Closes every connection without a request in progress, and accepts no more. */
  #shed(reason: "connections" | "descriptors"): void {
    const server = this.#listening;
    if (server === undefined) return;
    this.#listening = undefined;
    server.shutdown().catch(() => {}); // Handled by `finished`.
    this.#refused[reason]++;
    this.#bounds.onRefused(this.#refused);
  }

  #resume(): void {
    if (this.#listening !== undefined) return;
    try {
      this.#listen(this.port);
    } catch {
      // The port is briefly occupied, or there are no descriptors: the next count tries again.
    }
  }

  #schedule(delayMs: number): void {
    clearTimeout(this.#timer);
    if (this.#isStopping) return;
    const timer = setTimeout(() => void this.#count(), delayMs);
    this.#timer = timer;
    Deno.unrefTimer(timer as unknown as number);
  }
}

/** Reads the address on demand, since it is rarely needed. */
class Connection implements ConnectionInfo {
  readonly #info: Deno.ServeHandlerInfo<Deno.NetAddr>;

  constructor(info: Deno.ServeHandlerInfo<Deno.NetAddr>) {
    this.#info = info;
  }

  get remoteAddress(): string {
    return this.#info.remoteAddr.hostname;
  }
}
