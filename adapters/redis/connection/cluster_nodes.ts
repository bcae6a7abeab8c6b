import type { RedisClient, RedisNode } from "./client.ts";
import { lifeKeyOf } from "../partitions.ts";
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
 * Scripts go to it directly. A pipeline of the cluster's own client would send its commands again,
 * by itself and each pipeline after a time of its own, when their slot is elsewhere: then they
 * arrive in another order than they were sent in.
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

  /**
   * Resolves if the slot of a partition is whole on the node that the client knows for it.
   * Otherwise it rejects with the node's answer, and has the client look where the slot is.
   *
   * It asks for two keys, as scripts do. The node is asked directly: the cluster's own client would
   * follow an ASK, and where that connection closes, ioredis rejects a promise that nobody has.
   */
  async assertWhole(base: string): Promise<void> {
    const node = this.of(base);
    try {
      if (node === undefined) throw new Error("no node of the cluster is known for it");
      await node.call("EXISTS", base, lifeKeyOf(base));
    } catch (error) {
      if (!isBeingMoved(error) || isElsewhere(error)) await this.#refresh();
      throw error;
    }
  }

  async #refresh(): Promise<void> {
    const client = this.#client;
    await new Promise<void>((done) => client.refreshSlotsCache?.(() => done()) ?? done());
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

/** Returns true if a node says that a slot is being moved, or was. */
export function isBeingMoved(error: unknown): boolean {
  return error instanceof Error && /\b(ASK|TRYAGAIN|MOVED) /.test(error.message);
}

function isElsewhere(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("MOVED ");
}

function addressOf({ options }: RedisNode): string {
  const { host, port } = options as { host?: string; port?: number };
  return `${host}:${port}`;
}
