import type { RedisClient, RedisNode } from "./client.ts";
import { slotOf } from "./slot.ts";

const IS_OVER: ReadonlySet<string> = new Set(["close", "end"]);

interface Known {
  slot: number;
  address?: string;
  node?: RedisNode;
}

/**
 * Finds the node of a cluster that a partition is on.
 *
 * Scripts go to it directly. A pipeline of the cluster's own client would send its commands again, by
 * itself and each pipeline after a time of its own, when their slot is elsewhere: then they arrive in
 * another order than they were sent in.
 */
export class ClusterNodes {
  readonly #client: RedisClient;
  readonly #known = new Map<string, Known>();
  readonly #breaks = new WeakMap<RedisNode, { count: number }>();

  constructor(client: RedisClient) {
    this.#client = client;
  }

  /** The master of a partition as far as the client knows, or `undefined` while it does not. */
  of(base: string): RedisNode | undefined {
    let known = this.#known.get(base);
    if (known === undefined) this.#known.set(base, known = { slot: slotOf(base) });
    const address = this.#client.slots?.[known.slot]?.[0];
    if (address === undefined) return undefined;
    if (known.address !== address || known.node === undefined || IS_OVER.has(known.node.status)) {
      known.address = address;
      known.node = this.#client.nodes?.("master").find((node) => addressOf(node) === address);
    }
    return known.node === undefined || IS_OVER.has(known.node.status) ? undefined : known.node;
  }

  /** How often the connection to a node broke since it was first asked for. */
  breaksOf(node: RedisNode): number {
    let breaks = this.#breaks.get(node);
    if (breaks === undefined) {
      const counted = breaks = { count: 0 };
      this.#breaks.set(node, counted);
      node.on("close", () => counted.count++);
    }
    return breaks.count;
  }
}

function addressOf({ options }: RedisNode): string {
  const { host, port } = options as { host?: string; port?: number };
  return `${host}:${port}`;
}
