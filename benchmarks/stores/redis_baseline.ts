import { createHash } from "node:crypto";
import { Redis } from "ioredis";
import { SCRIPTS } from "../../adapters/redis/_generated_scripts.ts";
import { commitCall, NUMBER_AT } from "../../adapters/redis/codec.ts";
import { Partitions } from "../../adapters/redis/partitions.ts";
import type { Load } from "./load.ts";
import { BATCH, DATA, EVENT, LIMITS, loadOf } from "./load.ts";

/**
 * The least that an append does: number the events, store them, notify subscribers. It checks
 * nothing, indexes nothing and detects no repetition.
 */
const MINIMAL = `
local first = redis.call('INCRBY', KEYS[1], #ARGV) - #ARGV + 1
for i = 1, #ARGV do redis.call('XADD', KEYS[2], (first + i - 1) .. '-0', 'e', ARGV[i]) end
redis.call('PUBLISH', KEYS[3], first)
return first
`;

/** Calls scripts through ioredis, pipelined by turn of the event loop. */
export class RedisBaseline {
  readonly #client: Redis;
  readonly #partitions = new Partitions({ prefix: "taskcast:", count: 32 });
  readonly #hashes = new Map<string, string>();
  #sent = 0;

  constructor(url: string) {
    this.#client = new Redis(url, { enableAutoPipelining: true });
  }

  /** Appends by the minimal script. */
  async minimal(concurrency: number, ms: number, events: number): Promise<Load> {
    const hash = await this.#load(MINIMAL);
    const run = crypto.randomUUID();
    const data = Array.from({ length: events }, () => DATA);
    return await loadOf(concurrency, ms, (i) => {
      const key = `raw:{${i % 32}}:${run}`;
      return this.#client.evalsha(hash, 3, `${key}:n`, `${key}:log`, `${key}:wake`, ...data);
    }, events);
  }

  /** Appends by our own script, with prepared arguments. */
  async commits(
    ids: readonly string[],
    concurrency: number,
    ms: number,
    events: number,
  ): Promise<Load> {
    const session = crypto.randomUUID();
    const calls = await Promise.all(ids.map(async (taskId) => {
      const base = this.#partitions.of(taskId);
      const life = await this.#client.get(`${base}:life`) ?? "";
      const { script, args } = commitCall({
        taskId,
        expect: "live",
        events: Array.from({ length: events }, () => ({
          type: EVENT.type,
          level: "info" as const,
          data: DATA,
          entropy: 123_456_789_012,
        })),
        nowMs: Date.now(),
        maxEvents: LIMITS.maxEventsPerTask,
        maxBytes: LIMITS.maxBytesPerTask,
        schedule: { deliver: Date.now() },
      }, { session, publish: "PUBLISH" });
      return { hash: await this.#load(SCRIPTS[script]), base, life, args };
    }));
    return await loadOf(concurrency, ms, (i) => {
      const { hash, base, life, args } = calls[i % calls.length]!;
      args[NUMBER_AT] = String(++this.#sent);
      return this.#client.evalsha(hash, 1, base, life, "new", ...args);
    }, events);
  }

  close(): void {
    this.#client.disconnect();
  }

  async #load(script: string): Promise<string> {
    const known = this.#hashes.get(script);
    if (known !== undefined) return known;
    const hash = createHash("sha1").update(script).digest("hex");
    await this.#client.script("LOAD", script);
    this.#hashes.set(script, hash);
    return hash;
  }
}

/** Names of the baselines in results. */
export const BASELINE: Record<"minimal" | "commit" | "batch", string> = {
  minimal: `raw EVALSHA of INCRBY, XADD, PUBLISH`,
  commit: "raw EVALSHA of publish.lua",
  batch: `raw EVALSHA of INCRBY, ${BATCH} XADD, PUBLISH`,
};
