import type { ListenAddress } from "./contract.ts";

/** Reason why a port is unavailable: taken, forbidden, or on an address that the machine lacks. */
export type ListenProblem = "taken" | "forbidden" | "unavailable" | "other";

/** A port that cannot be listened on; the message says why. */
export class ListenError extends Error {
  /** The reason. */
  readonly reason: ListenProblem;

  constructor(message: string, reason: ListenProblem) {
    super(message);
    this.reason = reason;
  }
}

const PROBLEMS: Readonly<Record<string, ListenProblem>> = {
  EADDRINUSE: "taken",
  EACCES: "forbidden",
  EADDRNOTAVAIL: "unavailable",
  EAFNOSUPPORT: "unavailable",
};

/** Converts the error of any runtime. */
export function listenError({ port, host }: ListenAddress, error: unknown): ListenError {
  const { code, name, message } = error as NodeJS.ErrnoException;
  const reason = PROBLEMS[code ?? ""] ?? (name === "PermissionDenied" ? "forbidden" : "other");
  const why = reason === "taken"
    ? "it is in use by another process; choose another with --port or TASKCAST_PORT"
    : reason === "forbidden"
    ? "it may not be used by this user; choose one above 1023 with --port"
    : message;
  const shown = host.includes(":") ? `[${host}]` : host;
  return new ListenError(`Cannot listen on ${shown}:${port}: ${why}`, reason);
}
