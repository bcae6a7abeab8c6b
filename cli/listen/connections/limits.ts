import type { TaskcastConfig } from "@taskcast/core/config";
import { descriptorLimit } from "./descriptors.ts";

/** Bounds of what clients hold open. */
export interface ConnectionLimits {
  /** Connections of all clients together. */
  maxConnections: number;
  /** Connections of one address; left out, of a public address no more than the default. */
  maxConnectionsPerAddress?: number;
  /** The client is a proxy of ours, which has the connections of many. */
  isBehindProxy: boolean;
  /** Milliseconds in which the headers of a request must be complete. */
  headersTimeoutMs: number;
}

/** Where descriptors allow it. */
const DEFAULT_MAX_CONNECTIONS = 10_000;

/** Share of the descriptors that connections may have; stores, files and webhooks need some, too. */
const DESCRIPTOR_SHARE = 0.8;

/** Milliseconds for the headers of a request where nothing else is said. */
export const DEFAULT_HEADERS_TIMEOUT_MS = 15_000;

/** The limits of a configuration, with what this process can have where it says nothing. */
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
