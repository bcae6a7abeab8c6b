import type { RedisClient, RedisNode } from "./client.ts";
import { generationKeyOf } from "../partitions.ts";
import { slotOf } from "./slot.ts";

const IS_OVER: ReadonlySet<string> = new Set(["close", "end"]);

interface Known {
  slot: number;
  address?: string;
  node?: RedisNode;
}

/**
 * Finds the cluster node of a partition.
 *
 * Scripts go to that node directly. A pipeline of the cluster client would resend its commands on
 * its own when their slot has moved, each pipeline after a delay of its own, and so change their
 * order.
 */
export class ClusterNodes {
  readonly #client: RedisClient;
  readonly #known = new Map<string, Known>();
  readonly #breaks = new WeakMap<RedisNode, { count: number }>();

  constructor(client: RedisClient) {
    this.#client = client;
  }

  /** Returns the master of a partition as far as the client knows; `undefined` if it does not. */
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
   * Otherwise rejects with the node's error and has the client look up the slot again.
   *
   * It names two keys, as scripts do. It asks the node directly: the cluster client would follow an
   * ASK, and if that connection closes, ioredis rejects a promise that nobody handles.
   */
  async assertWhole(base: string): Promise<void> {
    const node = this.of(base);
    try {
      if (node === undefined) throw new Error("no node of the cluster is known for it");
      await node.call("EXISTS", base, generationKeyOf(base));
    } catch (error) {
      if (!isBeingMoved(error) || isElsewhere(error)) await this.#refresh();
      throw error;
    }
  }

  async #refresh(): Promise<void> {
    const client = this.#client;
    await new Promise<void>((done) => client.refreshSlotsCache?.(() => done()) ?? done());
  }

  /** Returns how often the connection to a node broke since the first call for it. */
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

/** Returns whether an error says that a slot is moving to another node or has moved. */
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
