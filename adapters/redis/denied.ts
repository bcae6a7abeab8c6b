import { TaskcastError } from "@taskcast/core/protocol";
import type { Partitions } from "./partitions.ts";

/** Returns true if Redis refused a command for lack of rights. */
export function isDenied(error: unknown): boolean {
  return /(^|[ -])NOPERM\b|The user executing the script can't/.test(textOf(error));
}

/** Says which rights wake-ups need. */
export function wakeRights(partitions: Partitions, cause: unknown): TaskcastError {
  return new TaskcastError(
    "STORE_UNAVAILABLE",
    "Redis cannot be used for wake-ups: its user may not use the channels that begin with " +
      `"${partitions.prefix}"; give it ACL rights such as &${partitions.prefix}* +publish ` +
      "+subscribe +unsubscribe (with shardedPubSub +spublish +ssubscribe +sunsubscribe): " +
      `${textOf(cause)}`,
  );
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
