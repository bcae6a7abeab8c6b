import { TaskcastError } from "@taskcast/core/protocol";
import type { RedisClient } from "./client.ts";

/**
 * Rejects if a connection is not on the database that its client was configured with: the client
 * continues on database 0 when it cannot select another.
 */
export async function assertDatabase(client: RedisClient): Promise<void> {
  const wanted = (client.options as { db?: number } | undefined)?.db ?? 0;
  if (client.isCluster || wanted === 0) return;
  let info: string;
  try {
    info = String(await client.call("CLIENT", "INFO"));
  } catch {
    return; // Redis before 6.2, or the user may not ask.
  }
  const found = /\bdb=(\d+)/.exec(info)?.[1];
  if (found === undefined || Number(found) === wanted) return;
  throw new TaskcastError(
    "STORE_UNAVAILABLE",
    `Redis cannot be used: it has no database ${wanted}`,
  );
}
