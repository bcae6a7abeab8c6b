import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import type { Handle, Listening } from "./listen.ts";
import { type ListenAddress, listenError } from "./listen_error.ts";

/** Longer than proxies usually keep a connection, so that it is they who close it. */
const KEEP_ALIVE_MS = 75_000;

/** Serves with the server of Node, and of what behaves like it. */
export async function listenOnNode(handle: Handle, address: ListenAddress): Promise<Listening> {
  const answer = getRequestListener(
    (request, { incoming }) =>
      handle(request, {
        remoteAddress: (incoming as HttpBindings["incoming"]).socket.remoteAddress,
      }),
  );
  // A request may last for as long as its task: lines of NDJSON are read as they come.
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: KEEP_ALIVE_MS }, answer);
  server.listen(address.port, address.host);
  try {
    await once(server, "listening");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const cause = code === "EADDRINUSE"
      ? "taken"
      : code === "EACCES"
      ? "forbidden"
      : error as Error;
    throw listenError(address, cause);
  }
  return { port: (server.address() as AddressInfo).port, shutdown: () => shutdown(server) };
}

async function shutdown(server: Server): Promise<void> {
  // Connections that are kept alive would hold up the end once they have nothing left to do.
  server.prependListener("request", (_, response) => response.setHeader("connection", "close"));
  const closed = once(server, "close");
  server.close();
  const sweeping = setInterval(() => server.closeIdleConnections(), 20);
  await closed;
  clearInterval(sweeping);
}
