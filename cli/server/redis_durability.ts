import type { AdapterSetting } from "../config/provider.ts";
import type { Logger } from "../log/logger.ts";

/** Maximum milliseconds that the start waits for an answer. */
const ANSWER_TIMEOUT_MS = 2_000;

/**
 * Warns if tasks are stored in a Redis without an append-only file, which may lose acknowledged data
 * when it ends. Hosted servers often forbid the question, so no answer is only noted at level debug:
 * the start must not depend on it.
 */
export async function warnOfVolatileRedis(
  shortTerm: AdapterSetting<"shortTerm"> | undefined,
  log: Pick<Logger, "warn" | "debug">,
): Promise<void> {
  if (shortTerm === undefined || !("provider" in shortTerm)) return;
  if (shortTerm.provider !== "redis" || typeof shortTerm.url !== "string") return;
  if (!/^rediss?:\/\/[^,]*$/.test(shortTerm.url)) {
    return log.debug("Of several servers it is not asked whether Redis has appendonly yes");
  }
  const { Redis } = await import("ioredis"); // Large, and needed only with Redis.
  const client = new Redis(shortTerm.url, {
    lazyConnect: true,
    connectTimeout: ANSWER_TIMEOUT_MS,
    commandTimeout: ANSWER_TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  client.on("error", () => {}); // The commands reject as well.
  try {
    await client.connect();
    const [, appendonly] = await client.call("CONFIG", "GET", "appendonly") as string[];
    if (appendonly !== "no") return;
    log.warn(
      "Redis has appendonly no: when it ends, tasks and events that were acknowledged may be lost; " +
        "set appendonly yes, and appendfsync always to lose none",
    );
  } catch {
    log.debug("Redis does not tell whether it has appendonly yes");
  } finally {
    client.disconnect();
  }
}
