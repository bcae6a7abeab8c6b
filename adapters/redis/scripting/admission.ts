import type { RedisClient } from "../connection/client.ts";
import { isBeingMoved } from "../connection/cluster_nodes.ts";
import { assertDatabase } from "../connection/database.ts";
import type { Partitions } from "../partitions.ts";
import { assertRights } from "../rights.ts";
import { unavailable } from "../connection/unavailable.ts";

/** Number of retries for the partition count while its slot is moving. */
const AGREE_TRIES = 40;
const AGREE_PAUSE_MS = 50;

/** Sends a request with a time limit; rejects at once if the connection is unusable. */
export type Ask = <T>(ask: () => Promise<T>, base: string) => Promise<T>;

/**
 * Checks before the first script that scripts may run: the user has the rights, the database is the
 * configured one, and all instances use the same number of partitions. Each new connection may be
 * to another server, so the rights are then checked again.
 */
export class Admission {
  readonly #client: RedisClient;
  readonly #partitions: Partitions;
  readonly #ask: Ask;
  /** Pending and successful checks, per partition of a cluster, or one for all. */
  readonly #known = new Map<string, Promise<void>>();
  readonly #onDoubt = (): void => this.invalidate();
  /** Keys of successful checks. */
  readonly #admitted = new Set<string>();
  #agreed?: Promise<void>;

  constructor(client: RedisClient, partitions: Partitions, ask: Ask) {
    this.#client = client;
    this.#partitions = partitions;
    this.#ask = ask;
    client.on("close", this.#onDoubt);
    client.on("+node", this.#onDoubt);
  }

  /**
   * Rejects if a partition may not be used. All callers share one promise, so calls keep their
   * order.
   */
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

  /** Returns whether a partition is known to be usable. */
  isKnown(base: string): boolean {
    return this.#admitted.has(this.#keyOf(base));
  }

  /** Discards all results, so that everything is checked again. */
  invalidate(): void {
    this.#known.clear();
    this.#admitted.clear();
  }

  /** Stops following the connection. */
  close(): void {
    this.#client.off("close", this.#onDoubt);
    this.#client.off("+node", this.#onDoubt);
  }

  #keyOf(base: string): string {
    return this.#client.isCluster ? base : "";
  }

  async #assert(base: string): Promise<void> {
    try {
      await this.#ask(() => assertRights(this.#client, base, this.#partitions.prefix), base);
    } catch (error) {
      if (!isMoving(error)) throw error;
      // Scripts wait until the slot is whole; the next call checks again.
      this.#known.delete(this.#keyOf(base));
    }
    if (this.#agreed === undefined) {
      const agreed = this.#assertSameCount();
      this.#agreed = agreed;
      agreed.catch(() => this.#agreed = undefined);
    }
    await this.#agreed;
  }

  /**
   * Requires the configured number of partitions: with another, tasks would be looked up in the
   * wrong ones.
   */
  async #assertSameCount(): Promise<void> {
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

  /** Returns the stored number of partitions; stores this one if there is none. */
  async #count(count: string): Promise<unknown> {
    const { countKey } = this.#partitions;
    // Uses a pipeline: where a slot is half moved, ioredis follows the ASK of a single command and
    // ignores that connection's close.
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

/** Returns whether the client failed because a slot is half moved. */
function isMoving(error: unknown): boolean {
  return isBeingMoved(error) || (error instanceof Error && isBeingMoved(error.cause));
}
