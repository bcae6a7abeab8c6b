import { TaskcastError } from "@taskcast/core/protocol";
import { SCRIPTS } from "./_generated_scripts.ts";
import type { RedisClient } from "./connection/client.ts";
import { isDenied } from "./denied.ts";
import { unavailable } from "./connection/unavailable.ts";

/** Commands that scripts and the client run on tasks, with arguments for the rights check. */
export const COMMANDS: readonly string[] = [
  "APPEND % v",
  "DEL %",
  "EVAL s 1 %",
  "EVALSHA s 1 %",
  "EXISTS %",
  "GET %",
  "GETRANGE % 0 1",
  "HDEL % f",
  "HEXISTS % f",
  "HGET % f",
  "HGETALL %",
  "HINCRBY % f 1",
  "HKEYS %",
  "HLEN %",
  "HMGET % f",
  "HSET % f v",
  "MGET % %",
  "SET % v",
  "STRLEN %",
  "UNLINK %",
  "XADD % 1 f v",
  "XDEL % 1",
  "XINFO STREAM %",
  "XLEN %",
  "XRANGE % - +",
  "XREVRANGE % + -",
  "XTRIM % MINID 1",
  "ZADD % 1 m",
  "ZCARD %",
  "ZRANGE % 0 1",
  "ZRANGEBYSCORE % 0 1",
  "ZREM % m",
  "ZREVRANGE % 0 1",
  "ZREVRANGEBYSCORE % 1 0",
  "ZSCORE % m",
];

/** The user lacks rights without which a script would fail halfway. */
export class MissingRights extends TaskcastError {
  /**
   * @param prefix Prefix of every key.
   * @param denied The denied commands, if known.
   */
  constructor(prefix: string, denied: readonly string[] = []) {
    const names = denied.map((name) => name.toLowerCase());
    const what = names.length === 0 ? "every command that is needed" : names.join(", ");
    const rights = [`~${prefix}*`, ...names.map((name) => `+${name}`)].join(" ");
    super(
      "STORE_UNAVAILABLE",
      `Redis cannot be used: its user may not run ${what} on keys that begin with "${prefix}"; give ` +
        `it ACL rights such as ${rights}`,
    );
  }
}

/**
 * Requires that the user may run every command on the keys of a partition. Checked before anything
 * changes, because a script that is denied a command halfway leaves a partial change.
 *
 * @throws {MissingRights} If the user may not.
 */
export async function assertRights(
  client: RedisClient,
  base: string,
  prefix: string,
): Promise<void> {
  // Uses a pipeline: where a slot is half moved, ioredis follows the ASK of a single command and
  // ignores that connection's close.
  const pipeline = client.pipeline();
  pipeline.call("EVAL", SCRIPTS.rights, "1", base, ...COMMANDS);
  const [error, denied] = (await pipeline.exec())?.[0] ??
    [unavailable("the connection broke"), null];
  if (error !== null) {
    if (isDenied(error)) throw new MissingRights(prefix, ["eval"]);
    throw error;
  }
  if (Array.isArray(denied) && denied.length > 0) throw new MissingRights(prefix, denied);
}
