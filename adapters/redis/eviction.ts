import type { RedisClient, RedisNode } from "./connection/client.ts";
import { inTime } from "./connection/in_time.ts";

/** Milliseconds that a node has for its answer: others are not to wait for one that is away. */
const INFO_MS = 1_000;

/**
 * The policy by which Redis would remove task data to make room, which would look like tasks that
 * were never there. Those for keys with an expiry are fine: only what is short-lived anyway has
 * one.
 */
export async function evictingPolicy(client: RedisClient): Promise<string | undefined> {
  const nodes: readonly RedisNode[] = client.isCluster ? client.nodes?.() ?? [] : [client];
  const policies = await Promise.all(nodes.map(evictionPolicy));
  return policies.find((one) => one?.startsWith("allkeys-"));
}

/** Returns a server's policy when it is full; `undefined` without a bound, or if unknown. */
async function evictionPolicy(node: RedisNode): Promise<string | undefined> {
  let info: string;
  try {
    const answer = node.call("INFO", "memory");
    info = String(await inTime(answer, INFO_MS, () => new Error("no answer")));
  } catch {
    return undefined; // Not every user may ask, and a node that is away is told by what it is asked.
  }
  const valueOf = (name: string) => new RegExp(`^${name}:(\\S+)`, "m").exec(info)?.[1];
  return Number(valueOf("maxmemory")) > 0 ? valueOf("maxmemory_policy") : undefined;
}
