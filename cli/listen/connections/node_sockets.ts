import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { openDescriptors } from "./descriptors.ts";
import type { ConnectionGuard } from "./guard.ts";
import type { ConnectionLimits } from "./limits.ts";

/** Milliseconds between two searches for expired connections. */
const SWEEP_MS = 1_000;

/** Number of searches between two counts of descriptors. */
const SWEEPS_PER_COUNT = 5;

/** Share of open descriptors above which the listening socket may have failed. */
const NEARLY_ALL = 0.9;

/** State of an open connection. */
interface Connection {
  /** Number of unanswered requests. */
  inFlight: number;
  /** Time at which it was opened, or its last response ended. */
  idleSinceMs: number;
  /** Bytes received by then; with more, the headers of a request have begun. */
  bytesAtIdle: number;
  /** Time at which such headers were first noticed. */
  headersSinceMs?: number;
  isUsed: boolean;
}

/** Options of {@linkcode watchSockets}. */
export interface WatchOptions {
  guard: ConnectionGuard;
  limits: ConnectionLimits;
  /** Milliseconds that a connection may stay open between requests. */
  keepAliveMs: number;
  /** Limit on descriptors of this process, if known. */
  descriptors?: number;
  /** Listens again, on runtimes that may silently stop accepting. */
  listenAgain?: () => void;
  /** Called at most once a second after connections were refused. */
  onRefused: () => void;
}

/**
 * Limits the connections of a `node:http` server: their number, and the time for the headers of a
 * request. The server's own `headersTimeout` has no effect on Deno.
 *
 * @returns The open sockets, and a function that ends the watch.
 */
export function watchSockets(
  server: Server,
  { guard, limits, keepAliveMs, descriptors, listenAgain, onRefused }: WatchOptions,
): { sockets: ReadonlyMap<Socket, unknown>; stop: () => void } {
  const sockets = new Map<Socket, Connection>();
  let sweeps = 0;
  let refused = 0;
  let mayBeDeaf = false;
  let timer: ReturnType<typeof setInterval> | undefined;
  /** Number of connections at which descriptors run short. */
  let tooMany = Infinity;
  if (descriptors !== undefined) {
    void openDescriptors().then((own = 0) => tooMany = descriptors * NEARLY_ALL - own);
  }

  server.on("connection", (socket: Socket) => {
    startSweeping();
    const release = guard.admit(socket.remoteAddress);
    if (release === undefined) {
      refused++;
      socket.destroy();
      return;
    }
    sockets.set(socket, {
      inFlight: 0,
      idleSinceMs: performance.now(),
      bytesAtIdle: 0,
      isUsed: false,
    });
    if (sockets.size >= tooMany) mayBeDeaf = true;
    socket.once("close", () => {
      sockets.delete(socket);
      release();
    });
  });
  server.prependListener("request", ({ socket }: IncomingMessage, response: ServerResponse) => {
    const connection = sockets.get(socket);
    if (connection === undefined) return;
    connection.inFlight++;
    connection.isUsed = true;
    connection.headersSinceMs = undefined;
    response.once("close", () => {
      if (--connection.inFlight > 0) return;
      connection.idleSinceMs = performance.now();
      connection.bytesAtIdle = socket.bytesRead;
    });
  });

  /** Starts the timer, which an idle server does not have. */
  function startSweeping(): void {
    if (timer !== undefined) return;
    timer = setInterval(() => void sweep(), SWEEP_MS);
    timer.unref?.();
  }

  async function sweep(): Promise<void> {
    const nowMs = performance.now();
    for (const [socket, connection] of sockets) {
      if (isExpired(socket, connection, nowMs)) socket.destroy();
    }
    if (refused > 0) {
      refused = 0;
      mayBeDeaf = true;
      onRefused();
    }
    const isCounting = ++sweeps % SWEEPS_PER_COUNT === 0 && descriptors !== undefined;
    const open = isCounting ? await openDescriptors() ?? 0 : 0;
    const isShort = descriptors !== undefined && open > descriptors * NEARLY_ALL;
    if (isShort) mayBeDeaf = true;
    else if (mayBeDeaf && !guard.isFull) {
      mayBeDeaf = false;
      listenAgain?.();
    }
    if (sockets.size === 0 && !mayBeDeaf) stop();
  }

  function isExpired(socket: Socket, connection: Connection, nowMs: number): boolean {
    const { inFlight, idleSinceMs, bytesAtIdle, isUsed } = connection;
    if (inFlight > 0) return false;
    const { headersTimeoutMs } = limits;
    if (!isUsed) return nowMs - idleSinceMs > headersTimeoutMs;
    if (socket.bytesRead === bytesAtIdle) return nowMs - idleSinceMs > keepAliveMs;
    connection.headersSinceMs ??= nowMs;
    return nowMs - connection.headersSinceMs > headersTimeoutMs;
  }

  function stop(): void {
    clearInterval(timer);
    timer = undefined;
  }

  return { sockets, stop };
}
