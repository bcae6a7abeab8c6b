/**
 * Returns a readable reason for a missing connection where the client only says that it stopped
 * trying.
 */
export function noRedis(error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error ?? "");
  const isWordless = message === "" ||
    /max retries per request|Connection is closed|ECONNRESET|EPIPE/.test(message);
  if (!isWordless) return error as Error;
  return new Error(
    "it does not answer, or closes the connection; is it a Redis, and is rediss:// right for TLS?",
    { cause: error },
  );
}
