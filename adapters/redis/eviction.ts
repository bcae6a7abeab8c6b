import { inTime } from "@taskcast/core/adapter";
import type { RedisClient, RedisNode } from "./connection/client.ts";

/** Milliseconds that a node has to reply, so that a missing node does not delay the others. */
const INFO_MS = 1_000;

/**
 * Returns the eviction policy if it removes task data when Redis is full, which would look like
 * tasks that never existed. Policies for keys with an expiry are fine: only short-lived keys have
 * one.
 */
export async function evictingPolicy(client: RedisClient): Promise<string | undefined> {
  const nodes: readonly RedisNode[] = client.isCluster ? client.nodes?.() ?? [] : [client];
  const policies = await Promise.all(nodes.map(evictionPolicy));
  return policies.find((one) => one?.startsWith("allkeys-"));
}

/**
 * Returns the eviction policy of a node; `undefined` without a memory limit, or if it cannot be
 * read.
 */
async function evictionPolicy(node: RedisNode): Promise<string | undefined> {
  let info: string;
  try {
    const answer = node.call("INFO", "memory");
    info = String(await inTime(answer, INFO_MS, () => new Error("no answer")));
  } catch {
    return undefined; // The user may lack the right to ask; a missing node is noticed by other requests.
  }
  const valueOf = (name: string) => new RegExp(`^${name}:(\\S+)`, "m").exec(info)?.[1];
  return Number(valueOf("maxmemory")) > 0 ? valueOf("maxmemory_policy") : undefined;
}
