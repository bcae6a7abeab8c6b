import type { HealthReport } from "@taskcast/core/adapter";
import type { RedisClient } from "./connection/client.ts";
import { evictingPolicy } from "./eviction.ts";
import { inTime } from "./connection/in_time.ts";
import type { Partitions } from "./partitions.ts";
import { MissingRights } from "./rights.ts";
import type { ScriptRunner } from "./scripting/script_runner.ts";

/** Milliseconds that a shard of a cluster has for its answer: the others are not to wait for it. */
const SHARD_MS = 1_500;

/** Tells whether tasks can be changed and read, and on a cluster how many of them. */
export class StoreHealth {
  readonly #client: RedisClient;
  readonly #scripts: ScriptRunner;
  readonly #partitions: Partitions;
  /** It was looked at before, and fine. */
  #keptData = false;

  constructor(client: RedisClient, scripts: ScriptRunner, partitions: Partitions) {
    this.#client = client;
    this.#scripts = scripts;
    this.#partitions = partitions;
  }

  /** Rejects or reports `unavailable` when nothing can be used, and reports what cannot be. */
  async check(): Promise<HealthReport | undefined> {
    const { bases } = this.#partitions;
    const results = await Promise.allSettled(bases.map((base) => this.#probe(base)));
    const failed = results.filter((result) => result.status === "rejected");
    if (failed.length === bases.length || (failed.length > 0 && !this.#client.isCluster)) {
      const { reason } = failed[0]!;
      if (!(reason instanceof MissingRights)) throw reason;
      return { status: "unavailable", message: reason.message };
    }
    const problems: string[] = [];
    if (failed.length > 0) {
      const denied = failed.find(({ reason }) => reason instanceof MissingRights);
      const why = denied?.reason.message ?? "a shard of the cluster is away";
      problems.push(`${failed.length} of ${bases.length} partitions cannot be used: ${why}`);
    }
    const count = (state: "moving" | "lost") =>
      results.filter((one) => one.status === "fulfilled" && one.value === state).length;
    const [moving, lost] = [count("moving"), count("lost")];
    if (lost > 0) problems.push(this.#scripts.lossMessage);
    if (moving > 0) {
      problems.push(
        `the slots of ${moving} of ${bases.length} partitions are being moved; if that does not end, ` +
          'run "redis-cli --cluster fix"',
      );
    }
    const evicts = await this.#evicts();
    if (evicts !== undefined) problems.push(evicts);
    if (problems.length === 0) return;
    const areUsable = failed.length + moving + lost < bases.length;
    // An operator who changes the policy of one that is in use is told, and not cut off.
    const isUsable = areUsable && (evicts === undefined || this.#keptData);
    return { status: isUsable ? "degraded" : "unavailable", message: problems.join("; ") };
  }

  async #probe(base: string): Promise<"usable" | "moving" | "lost"> {
    const probing = this.#scripts.probe(base);
    if (!this.#client.isCluster) return await probing;
    return await inTime(probing, SHARD_MS, () => new Error("no answer"));
  }

  /** Says that Redis removes data when it is full, which it may have been told a moment ago. */
  async #evicts(): Promise<string | undefined> {
    const policy = await this.#scripts.answer(evictingPolicy(this.#client));
    if (policy === undefined) {
      this.#keptData = true;
      return undefined;
    }
    return `with the maxmemory-policy "${policy}" Redis removes task data when it is full; ` +
      "set maxmemory-policy to noeviction";
  }
}
