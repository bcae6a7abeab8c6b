import type { RedisClient } from "../connection/client.ts";
import { isBeingMoved } from "../connection/cluster_nodes.ts";
import { assertDatabase } from "../connection/database.ts";
import type { Partitions } from "../partitions.ts";
import { assertRights } from "../rights.ts";
import { unavailable } from "../connection/unavailable.ts";

/** How often the number of partitions is asked for again while its slot is moved. */
const AGREE_TRIES = 40;
const AGREE_PAUSE_MS = 50;

/** Asks something, unless nothing can be asked now, and waits only so long. */
export type Ask = <T>(ask: () => Promise<T>, base: string) => Promise<T>;

/**
 * Finds out before the first script whether any may be run: that the user has the rights, the
 * database is the one that was named, and all instances agree about the number of partitions.
 * Rights are asked for again on each new connection, which may be to another server.
 */
export class Admission {
  readonly #client: RedisClient;
  readonly #partitions: Partitions;
  readonly #ask: Ask;
  /** Admission of each partition of a cluster, or of all, known or under way. */
  readonly #known = new Map<string, Promise<void>>();
  readonly #doubt = (): void => this.doubt();
  /** Which are known. */
  readonly #admitted = new Set<string>();
  #agreed?: Promise<void>;

  constructor(client: RedisClient, partitions: Partitions, ask: Ask) {
    this.#client = client;
    this.#partitions = partitions;
    this.#ask = ask;
    client.on("close", this.#doubt);
    client.on("+node", this.#doubt);
  }

  /** Rejects if a partition may not be used. The same promise for all, so that calls keep their order. */
  of(base: string): Promise<void> {
    const key = this.#keyOf(base);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const asked = this.#assert(base);
    this.#known.set(key, asked);
    const isNewest = () => this.#known.get(key) === asked;
    asked.then(
      () => isNewest() && this.#admitted.add(key),
      () => isNewest() && this.#known.delete(key),
    );
    return asked;
  }

  /** Returns true if a partition is known to be usable. */
  isKnown(base: string): boolean {
    return this.#admitted.has(this.#keyOf(base));
  }

  /** Has it asked again. */
  doubt(): void {
    this.#known.clear();
    this.#admitted.clear();
  }

  /** Follows the connection no more. */
  close(): void {
    this.#client.off("close", this.#doubt);
    this.#client.off("+node", this.#doubt);
  }

  #keyOf(base: string): string {
    return this.#client.isCluster ? base : "";
  }

  async #assert(base: string): Promise<void> {
    try {
      await this.#ask(() => assertRights(this.#client, base, this.#partitions.prefix), base);
    } catch (error) {
      if (!isMoving(error)) throw error;
      // Scripts wait until the slot is whole. Asked for again with the next call.
      this.#known.delete(this.#keyOf(base));
    }
    if (this.#agreed === undefined) {
      const agreed = this.#agree();
      this.#agreed = agreed;
      agreed.catch(() => this.#agreed = undefined);
    }
    await this.#agreed;
  }

  /** Another number of partitions would look for tasks where they are not. */
  async #agree(): Promise<void> {
    const { bases } = this.#partitions;
    const count = String(bases.length);
    const found = await this.#ask(async () => {
      await assertDatabase(this.#client);
      for (let triesLeft = AGREE_TRIES;; triesLeft--) {
        try {
          return await this.#count(count);
        } catch (error) {
          if (triesLeft === 0 || !isMoving(error)) throw error;
          await new Promise((resolve) => setTimeout(resolve, AGREE_PAUSE_MS));
        }
      }
    }, bases[0]!);
    if (found !== count) {
      throw unavailable(`its data has ${found} partitions, and ${count} are configured`);
    }
  }

  /** The number of partitions of the data; this one if there is none yet. */
  async #count(count: string): Promise<unknown> {
    const { countKey } = this.#partitions;
    // Not one by one: where a slot is half moved, ioredis follows an ASK of a single command
    // without heeding whether that connection closes.
    const pipeline = this.#client.pipeline();
    pipeline.call("SET", countKey, count, "NX");
    pipeline.call("GET", countKey);
    const [set, get] = await pipeline.exec() ?? [];
    if (set === undefined) throw unavailable("the connection broke");
    const error = set[0] ?? get![0];
    if (error !== null) throw error;
    return get![1];
  }
}

/** Returns true if the client failed because a slot is half moved. */
function isMoving(error: unknown): boolean {
  return isBeingMoved(error) || (error instanceof Error && isBeingMoved(error.cause));
}
