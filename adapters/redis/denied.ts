import { TaskcastError } from "@taskcast/core/protocol";
import type { Partitions } from "./partitions.ts";

/** Returns whether Redis refused a command for missing rights. */
export function isDenied(error: unknown): boolean {
  return /(^|[ -])NOPERM\b|The user executing the script can't/.test(textOf(error));
}

/** Returns an error that names the rights needed for wake-ups. */
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
