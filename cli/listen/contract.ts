import type { ConnectionLimits } from "./connections/limits.ts";

/** The HTTP servers that can listen. */
export const LISTENERS = ["node", "deno"] as const;

/** An HTTP server: `node:http`, which Deno has as well, or `Deno.serve`. */
export type Listener = (typeof LISTENERS)[number];

/** The address that one socket listens on. */
export interface ListenAddress {
  port: number;
  host: string;
}

/** The address that a server listens on. Without a host: loopback, 127.0.0.1 and ::1. */
export interface ListenTarget {
  port: number;
  host?: string;
}

/** A server that is listening. */
export interface Listening {
  /** The port in use, also when any free one was asked for. */
  port: number;
  /** Accepts no more connections; resolves when the open ones have ended. */
  shutdown(): Promise<void>;
}

/** Facts about a request's connection, passed to `app.fetch` as the environment. */
export interface ConnectionInfo {
  /** The address of the peer; `undefined` if the connection is already gone. */
  remoteAddress: string | undefined;
}

/** Answers requests. */
export type Handle = (request: Request, info: ConnectionInfo) => Response | Promise<Response>;

/** Number of refused connections, by the bound that refused them. */
export type RefusedConnections = Record<"connections" | "address" | "descriptors", number>;

/** Bounds on connections, and a listener for refusals. */
export interface Bounds {
  limits: ConnectionLimits;
  /** Called at most once a second, with all refusals so far. */
  onRefused: (refused: Readonly<RefusedConnections>) => void;
}
