import net from "node:net";
import postgres from "postgres";
import type { PostgresAddress } from "./address.ts";

/** Connections to PostgreSQL, and how they end. */
export interface Connections {
  sql: postgres.Sql;
  /** Says good-bye when nothing is under way. Safe to call twice. */
  close(): Promise<void>;
  /** Ends them now, whatever is under way. Safe to call twice. */
  destroy(): Promise<void>;
}

/** Differences between connections for statements and the one that listens. */
export interface ConnectOptions {
  max: number;
  /** Renews connections from time to time. @default {true} */
  renewed?: boolean;
  onnotify?: (channel: string, payload: string) => void;
  onclose?: () => void;
}

const DEFAULT_PORT = 5432;

/** Seconds that a connection may take, unless its address says so. */
const CONNECT_SECONDS = 5;

/** Seconds that a good-bye may take: the driver waits for connections that broke, too (3.4.9). */
const END_SECONDS = 0.5;

/** Seconds between attempts to connect, at most: an outage is to be over when PostgreSQL is back. */
const MAX_BACKOFF_SECONDS = 1;

/**
 * Opens connections when they are wanted.
 *
 * The sockets are ours, since the driver has no way to close one that does not answer: it says
 * good-bye and waits for the other side.
 */
export function connect(
  address: PostgresAddress,
  { max, renewed = true, onnotify, onclose }: ConnectOptions,
): Connections {
  const sockets = new Set<net.Socket>();
  let ended = false;
  let attempts = 0;
  let nextAttemptMs = 0;

  /** Not connected yet: the driver listens first, so that it hears of an error too. */
  function openSocket({ host, port, path }: SocketOptions): net.Socket {
    // The driver goes on with an attempt that it had planned before the end.
    if (ended) throw Object.assign(new Error("They are closed"), { code: "CONNECTION_ENDED" });
    const socket: net.Socket & { host?: string; port?: number } = new net.Socket();
    for (const known of sockets) if (known.destroyed) sockets.delete(known);
    sockets.add(socket);
    endAtOnce(socket);
    const at = attempts++ % host.length;
    socket.host = host[at]; // For the name in its certificate.
    socket.port = port[at];
    // The driver's listeners are added in the next step, and it writes in the one after this one.
    queueMicrotask(() =>
      queueMicrotask(() => path ? socket.connect(path) : socket.connect(port[at]!, host[at]!))
    );
    return socket;
  }

  const options = {
    ...endOf(address),
    max,
    connect_timeout: address.connectSeconds ?? CONNECT_SECONDS,
    ...(!renewed && { max_lifetime: null }),
    backoff(attempt: number) {
      const seconds = (0.5 + Math.random() / 2) * Math.min(3 ** attempt / 100, MAX_BACKOFF_SECONDS);
      nextAttemptMs = Math.max(nextAttemptMs, performance.now() + 1_000 * seconds);
      return seconds;
    },
    onnotice: () => {},
    onnotify,
    onclose,
    socket: openSocket,
    fetch_types: false, // A list of all types, for each connection; arrays travel as JSON here.
    connection: { application_name: "taskcast", ...address.settings },
  };
  const sql = postgres(options as postgres.Options<Record<string, never>>);

  async function end(seconds: number): Promise<void> {
    await sql.end({ timeout: seconds }).catch(() => {});
    ended = true;
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    // The driver's timer for an attempt cannot be stopped, and would outlive us.
    const waitMs = nextAttemptMs - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs + 1));
  }

  let ending: Promise<void> | undefined;
  return {
    sql,
    close: () => ending ??= end(END_SECONDS),
    destroy: () => ending ??= end(0),
  };
}

/**
 * Has a connection that breaks end in one step. The driver takes new queries between the error and
 * the close, keeps them over the reconnection, and gives them the answers of others then (3.4.9); a
 * close alone rejects everything that has no answer.
 */
function endAtOnce(socket: net.Socket): void {
  const emit = socket.emit.bind(socket) as (event: string, ...args: unknown[]) => boolean;
  let connected = false;
  socket.emit = (event: string | symbol, ...args: unknown[]): boolean => {
    if (event === "connect") connected = true;
    if (connected && event === "error") return true;
    if (connected && event === "close") return emit("close", false);
    return emit(event as string, ...args);
  };
}

/** Where the other end is, and as whom: what the address leaves out is the driver's to find. */
function endOf({ hosts, user, password, database, tls, tlsAtOnce, target }: PostgresAddress) {
  const [first] = hosts;
  const socket = first?.host.startsWith("/") ? first : undefined;
  return {
    ...(hosts.length > 0 && {
      host: hosts.map(({ host }) => host),
      port: hosts.map(({ port }) => port ?? DEFAULT_PORT),
    }),
    ...(socket && { path: `${socket.host}/.s.PGSQL.${socket.port ?? DEFAULT_PORT}` }),
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
    ...(database !== undefined && { database }),
    ...(tls !== undefined && { ssl: tls }),
    ...(tlsAtOnce && { sslnegotiation: "direct" }),
    ...(target !== undefined && { target_session_attrs: target }),
  };
}

interface SocketOptions {
  host: string[];
  port: number[];
  path: string | false;
}
