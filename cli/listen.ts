import process from "node:process";

/** A server that is listening. */
export interface Listening {
  /** The port that it got. */
  port: number;
  /** Takes no new connections and resolves when the open ones are done. */
  shutdown(): Promise<void>;
}

/** What the runtime knows of a request's connection; made to be passed to `app.fetch`. */
export type ConnectionInfo = Record<string, unknown>;

/** A port that cannot be had; the message says why. */
export class ListenError extends Error {}

/**
 * Serves web-standard requests on a port. The one place that knows how this runtime does it.
 *
 * @throws {ListenError} When the port is taken or not allowed.
 */
export function listen(
  handle: (request: Request, info: ConnectionInfo) => Response | Promise<Response>,
  { port, host }: { port: number; host: string },
): Promise<Listening> {
  try {
    const server = Deno.serve(
      { port, hostname: host, onListen: () => {} },
      (request, info) => handle(request, { remoteAddr: info.remoteAddr }),
    );
    return Promise.resolve({ port: server.addr.port, shutdown: () => server.shutdown() });
  } catch (error) {
    const why = error instanceof Deno.errors.AddrInUse
      ? "it is in use by another process; choose another with --port or TASKCAST_PORT"
      : error instanceof Deno.errors.PermissionDenied
      ? `it may not be used by this user; choose one above 1023 with --port`
      : (error as Error).message;
    return Promise.reject(new ListenError(`Cannot listen on ${host}:${port}: ${why}`));
  }
}

/** Calls `onSignal` for each SIGINT and SIGTERM until the returned function is called. */
export function onStopSignal(onSignal: (signal: "SIGINT" | "SIGTERM") => void): () => void {
  const int = () => onSignal("SIGINT");
  const term = () => onSignal("SIGTERM");
  process.on("SIGINT", int);
  process.on("SIGTERM", term);
  return () => {
    process.off("SIGINT", int);
    process.off("SIGTERM", term);
  };
}
