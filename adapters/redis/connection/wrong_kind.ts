import type { TaskcastError } from "@taskcast/core/protocol";
import { unavailable } from "./unavailable.ts";

/**
 * Returns the error for a server of a different kind from the address, if `error` indicates that.
 */
export function wrongKind(error: unknown, isCluster: boolean): TaskcastError | undefined {
  const message = error instanceof Error ? error.message : String(error);
  if (!isCluster && /\b(MOVED|ASK) \d+ /.test(message)) {
    return unavailable(
      "this is a node of a cluster; the address of a cluster begins with redis-cluster:// (with TLS " +
        "rediss-cluster://) and names one or more nodes, and clients of ioredis are made by new Cluster()",
    );
  }
  if (/accepted by Sentinel|unknown command .?eval\b/i.test(message)) {
    return unavailable(
      "this is a Sentinel; the address of Sentinels is redis-sentinel://host:26379,host:26379/name, " +
        "with the name of the master",
    );
  }
  if (/unknown command .?sentinel\b/i.test(message)) {
    return unavailable(
      "this is no Sentinel; the address of a single server begins with redis:// or rediss://, and " +
        "Sentinels have a port of their own, often 26379",
    );
  }
  if (/cluster support disabled/.test(message)) {
    return unavailable(
      "this is no cluster; the address of a single server begins with redis:// or rediss://",
    );
  }
}
