import type { RedisClient } from "./client.ts";

/**
 * Resolves when a client has its connection, which it may not have yet.
 *
 * @param closed Makes the error for one that is closed before.
 */
export async function untilReady(client: RedisClient, closed: () => Error): Promise<void> {
  if (client.status === "ready") return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onClose = () => reject(closed());
  client.on("ready", resolve);
  client.on("close", onClose);
  try {
    await promise;
  } finally {
    client.off("ready", resolve);
    client.off("close", onClose);
  }
}
