/** A port that cannot be had; the message says why. */
export class ListenError extends Error {}

/** Where a server is to listen. */
export interface ListenAddress {
  port: number;
  host: string;
}

/** Why a port cannot be had, in the words of every runtime. */
export function listenError(
  { port, host }: ListenAddress,
  cause: "taken" | "forbidden" | Error,
): ListenError {
  const why = cause === "taken"
    ? "it is in use by another process; choose another with --port or TASKCAST_PORT"
    : cause === "forbidden"
    ? "it may not be used by this user; choose one above 1023 with --port"
    : cause.message;
  return new ListenError(`Cannot listen on ${host}:${port}: ${why}`);
}
