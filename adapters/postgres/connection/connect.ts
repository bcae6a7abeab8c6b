import net from "node:net";
import postgres from "postgres";
import type { PostgresAddress } from "./address.ts";

/** Connections to PostgreSQL. */
export interface Connections {
  sql: postgres.Sql;
  /** Closes them when nothing is pending. Safe to call twice. */
  close(): Promise<void>;
  /** Closes them at once, whatever is pending. Safe to call twice. */
  destroy(): Promise<void>;
}

/** Options that differ between the statement connections and the listening connection. */
export interface ConnectOptions {
  max: number;
  /** Set to `false` to keep connections open indefinitely. @default {true} */
  renewed?: boolean;
  onnotify?: (channel: string, payload: string) => void;
  onclose?: () => void;
}

const DEFAULT_PORT = 5432;

/** Seconds that connecting may take, unless the address says otherwise. */
const CONNECT_SECONDS = 5;

/** Seconds that closing may take: the driver also waits for broken connections (3.4.9). */
const END_SECONDS = 0.5;

/**
 * Maximum seconds between attempts to connect, so that an outage ends soon after PostgreSQL is
 * back.
 */
const MAX_BACKOFF_SECONDS = 1;

/**
 * Opens connections on demand.
 *
 * The sockets are our own, because the driver cannot close one that does not respond: it sends a
 * termination message and waits for the other side.
 */
export function connect(
  address: PostgresAddress,
  { max, renewed = true, onnotify, onclose }: ConnectOptions,
): Connections {
  const sockets = new Set<net.Socket>();
  let ended = false;
  let attempts = 0;
  let nextAttemptMs = 0;

  /** Creates an unconnected socket, so that the driver can add its listeners before any error. */
  function openSocket({ host, port, path }: SocketOptions): net.Socket {
    // The driver continues an attempt that it had planned before the end.
    if (ended) throw Object.assign(new Error("They are closed"), { code: "CONNECTION_ENDED" });
    const socket: net.Socket & { host?: string; port?: number } = new net.Socket();
    for (const known of sockets) if (known.destroyed) sockets.delete(known);
    sockets.add(socket);
    endAtOnce(socket);
    const at = attempts++ % host.length;
    socket.host = host[at]; // For the name in its certificate.
    socket.port = port[at];
    // The driver adds its listeners in the next microtask and writes in the one after that.
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
    fetch_types: false, // Fetching would query all types on each connection; arrays travel as JSON here.
    connection: { application_name: "taskcast", ...address.settings },
  };
  const sql = postgres(options as postgres.Options<Record<string, never>>);

  async function end(seconds: number): Promise<void> {
    await sql.end({ timeout: seconds }).catch(() => {});
    ended = true;
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    // The driver's retry timer cannot be stopped and would outlive us.
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
 * Makes a broken connection end in one step. Between the error and the close, the driver accepts
 * new queries, keeps them over the reconnection, and then gives them replies of other queries
 * (3.4.9). A close alone rejects everything without a reply.
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

/** Returns the server and user of an address; the driver fills in missing parts. */
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
