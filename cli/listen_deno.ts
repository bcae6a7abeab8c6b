import type { ConnectionInfo, Handle, Listening } from "./listen.ts";
import { type ListenAddress, listenError } from "./listen_error.ts";

/** Serves with the server of Deno. */
export function listenOnDeno(handle: Handle, address: ListenAddress): Promise<Listening> {
  try {
    const server = Deno.serve(
      { port: address.port, hostname: address.host, onListen: () => {} },
      (request, info) => handle(request, new Connection(info)),
    );
    return Promise.resolve({ port: server.addr.port, shutdown: () => server.shutdown() });
  } catch (error) {
    const cause = error instanceof Deno.errors.AddrInUse
      ? "taken"
      : error instanceof Deno.errors.PermissionDenied
      ? "forbidden"
      : error as Error;
    return Promise.reject(listenError(address, cause));
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
