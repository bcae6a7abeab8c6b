import type { HealthReport } from "@taskcast/core/adapter";
import { inTime } from "@taskcast/core/adapter";
import type { RedisClient } from "./connection/client.ts";
import { evictingPolicy } from "./eviction.ts";
import type { Partitions } from "./partitions.ts";
import { MissingRights } from "./rights.ts";
import type { ScriptRunner } from "./scripting/script_runner.ts";

/** Milliseconds that a cluster shard has to reply, so that others do not wait for it. */
const SHARD_MS = 1_500;

/** Checks whether tasks can be read and changed; on a cluster, how many partitions. */
export class StoreHealth {
  readonly #client: RedisClient;
  readonly #scripts: ScriptRunner;
  readonly #partitions: Partitions;
  /** Set once a check found no evicting policy. */
  #keptData = false;

  constructor(client: RedisClient, scripts: ScriptRunner, partitions: Partitions) {
    this.#client = client;
    this.#scripts = scripts;
    this.#partitions = partitions;
  }

  /** Rejects or reports `unavailable` if nothing works; otherwise reports what does not. */
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
      const why = denied?.reason.message ?? "a shard of the cluster is unreachable";
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
    // A policy that changes while the store is in use is reported, not treated as an outage.
    const isUsable = areUsable && (evicts === undefined || this.#keptData);
    return { status: isUsable ? "degraded" : "unavailable", message: problems.join("; ") };
  }

  async #probe(base: string): Promise<"usable" | "moving" | "lost"> {
    const probing = this.#scripts.probe(base);
    if (!this.#client.isCluster) return await probing;
    return await inTime(probing, SHARD_MS, () => new Error("no answer"));
  }

  /** Returns the problem if Redis evicts data when full; the policy can change at any time. */
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
