import type { RedisClient } from "./client.ts";

/**
 * Resolves when a client is connected.
 *
 * @param closed Creates the error if the client is closed first.
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
