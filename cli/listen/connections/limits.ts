import type { TaskcastConfig } from "@taskcast/core/config";
import { descriptorLimit } from "./descriptors.ts";

/** Limits on open connections. */
export interface ConnectionLimits {
  /** Connections of all clients together. */
  maxConnections: number;
  /** Connections of one address. @default 1 000 for public addresses */
  maxConnectionsPerAddress?: number;
  /** The peer is a trusted proxy, which holds the connections of many clients. */
  isBehindProxy: boolean;
  /** Milliseconds in which the headers of a request must be complete. */
  headersTimeoutMs: number;
}

/** The default, if there are enough descriptors. */
const DEFAULT_MAX_CONNECTIONS = 10_000;

/** Share of the descriptors for connections; stores, files and webhooks need the rest. */
const DESCRIPTOR_SHARE = 0.8;

/** Default milliseconds for the headers of a request. */
export const DEFAULT_HEADERS_TIMEOUT_MS = 15_000;

/** Returns the limits of a configuration; the defaults depend on the descriptors of this process. */
export function connectionLimits(
  { limits = {}, trustProxy = 0 }: TaskcastConfig,
  descriptors: number | undefined = descriptorLimit(),
): ConnectionLimits {
  const affordable = Math.max(1, Math.floor((descriptors ?? Infinity) * DESCRIPTOR_SHARE));
  return {
    maxConnections: limits.maxConnections ?? Math.min(DEFAULT_MAX_CONNECTIONS, affordable),
    maxConnectionsPerAddress: limits.maxConnectionsPerAddress,
    isBehindProxy: trustProxy > 0,
    headersTimeoutMs: limits.headersTimeoutMs ?? DEFAULT_HEADERS_TIMEOUT_MS,
  };
}
