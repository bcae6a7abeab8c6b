import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { eventStreamOf } from "@taskcast/server/sse";
import { descriptorLimit } from "./connections/descriptors.ts";
import { ConnectionGuard } from "./connections/guard.ts";
import { watchSockets } from "./connections/node_sockets.ts";
import type { Bounds, Handle, ListenAddress, Listening } from "./contract.ts";
import { listenError } from "./listen_error.ts";
import { writeEventStream } from "./write_event_stream.ts";

/** Longer than proxies usually keep a connection, so that it is they who close it. */
const KEEP_ALIVE_MS = 75_000;

/** Between looks for connections that have nothing to do, when the server is to end. */
const SWEEP_MS = 20;

/** What a client has then to send its first request on a connection: more than most networks take. */
const UNUSED_MS = 500;

/**
 * Serves with the server of Node, and of what behaves like it.
 *
 * @param guard Counts connections; one for all addresses of a server.
 */
export async function listenOnNode(
  handle: Handle,
  address: ListenAddress,
  { limits, onRefused }: Bounds,
  guard: ConnectionGuard = new ConnectionGuard(limits),
): Promise<Listening> {
  const answer = getRequestListener((request, { incoming, outgoing }) => {
    const { socket } = incoming as HttpBindings["incoming"];
    const response = handle(request, { remoteAddress: socket.remoteAddress });
    return request.method === "GET"
      ? writeOrReturn(response, outgoing as HttpBindings["outgoing"])
      : response;
  });
  // A request may last for as long as its task: lines of NDJSON are read as they come.
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: KEEP_ALIVE_MS }, answer);
  const { sockets, stop } = watchSockets(server, {
    guard,
    limits,
    keepAliveMs: KEEP_ALIVE_MS,
    descriptors: descriptorLimit(),
    listenAgain: "Deno" in globalThis ? () => listenAgain(server) : undefined,
    onRefused: () => onRefused(guard.refused),
  });
  server.listen(address.port, address.host);
  try {
    await once(server, "listening");
  } catch (error) {
    stop();
    throw listenError(address, error);
  }
  return {
    port: (server.address() as AddressInfo).port,
    shutdown: () => {
      stop();
      return shutdown(server, sockets.keys());
    },
  };
}

/**
 * Deno's `node:http` says that it listens and accepts nothing any more once there were no descriptors
 * left for a connection. Open connections stay.
 */
function listenAgain(server: Server): void {
  const address = server.address() as AddressInfo | null;
  if (address === null) return; // It is to end.
  server.close();
  server.listen(address.port, address.address);
}

/** Streams are written here; anything else is left to the adapter. */
async function writeOrReturn(
  answer: Response | Promise<Response>,
  outgoing: ServerResponse,
): Promise<Response> {
  const response = await answer;
  const stream = eventStreamOf(response);
  if (stream === undefined) return response;
  writeEventStream(stream, response, outgoing);
  return RESPONSE_ALREADY_SENT;
}

async function shutdown(server: Server, sockets: Iterable<Socket>): Promise<void> {
  // Connections that are kept alive would hold up the end once they have nothing left to do.
  server.prependListener("request", (_, response) => response.setHeader("connection", "close"));
  const closed = once(server, "close");
  server.close();
  const sweeping = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
  // Browsers open some in advance. To Node these are not idle: a request may be on its way.
  const unused = setTimeout(() => {
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
  }, UNUSED_MS);
  await closed;
  clearInterval(sweeping);
  clearTimeout(unused);
}
