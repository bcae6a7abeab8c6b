import type { AdapterSetting } from "../config/provider.ts";
import type { Logger } from "../log/logger.ts";

/** Milliseconds that the start waits for an answer at most. */
const PATIENCE_MS = 2_000;

/**
 * Warns when tasks are kept in a Redis that writes no log of what it does, and so may lose what was
 * acknowledged when it ends. Where that is not told, since not every user may ask and what is hosted
 * often forbids it, only the level debug says so: the start must not depend on it.
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
  const { Redis } = await import("ioredis"); // Large, and wanted only with Redis.
  const client = new Redis(shortTerm.url, {
    lazyConnect: true,
    connectTimeout: PATIENCE_MS,
    commandTimeout: PATIENCE_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  client.on("error", () => {}); // What is asked rejects as well.
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
