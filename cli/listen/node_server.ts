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

/** Longer than proxies usually keep a connection, so that they are the ones to close it. */
const KEEP_ALIVE_MS = 75_000;

/** Milliseconds between two searches for idle connections during a shutdown. */
const SWEEP_MS = 20;

/** Milliseconds for the first request of a connection during a shutdown: enough for most networks. */
const UNUSED_MS = 500;

/**
 * Serves with `node:http`.
 *
 * @param guard Counts connections; shared by all addresses of a server.
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
  // A request may last as long as its task: lines of NDJSON are read as they arrive.
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
 * Listens again. After running out of descriptors, Deno's `node:http` claims to listen but accepts
 * nothing. Open connections stay.
 */
function listenAgain(server: Server): void {
  const address = server.address() as AddressInfo | null;
  if (address === null) return; // It is shutting down.
  server.close();
  server.listen(address.port, address.address);
}

/** Writes streams itself, and leaves other responses to the adapter. */
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
  // Idle connections that are kept alive would delay the end.
  server.prependListener("request", (_, response) => response.setHeader("connection", "close"));
  const closed = once(server, "close");
  server.close();
  const sweeping = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
  // Browsers open connections in advance, which Node does not count as idle.
  const unused = setTimeout(() => {
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
  }, UNUSED_MS);
  await closed;
  clearInterval(sweeping);
  clearTimeout(unused);
}
