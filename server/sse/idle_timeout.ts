import type { Context } from "hono";

/** Part of what `Bun.serve` gives to `fetch` beside the request. */
interface BunServer {
  /** Seconds without a byte after which the request's connection is closed; 0: never. */
  timeout(request: Request, seconds: number): void;
}

/** Bun's own `idleTimeout`, for a connection that carries other requests after a stream. */
const BUN_IDLE_SECONDS = 10;

const IS_BUN = "Bun" in globalThis;

/**
 * Tells a host that closes quiet connections to leave a request's alone: its stream may say nothing
 * for as long as it likes. `Bun.serve` is such a host, and hears it if `app.fetch` gets the server
 * that Bun hands over, as in `Bun.serve({ fetch: app.fetch })`.
 *
 * @param onEnd To be called when the stream has ended.
 * @returns To be called instead of it.
 */
export function withoutIdleTimeout(
  { req, env }: Pick<Context, "req" | "env">,
  onEnd: () => void,
): () => void {
  const server = IS_BUN ? bunServerOf(env) : undefined;
  if (server === undefined) return onEnd;
  const { raw } = req;
  server.timeout(raw, 0);
  return () => {
    // The connection may be kept for other requests, and is not to rest for ever.
    server.timeout(raw, BUN_IDLE_SECONDS);
    onEnd();
  };
}

/** As Hono's own helpers for Bun find it: the environment itself, or its `server`. */
function bunServerOf(env: unknown): BunServer | undefined {
  const { server = env } = (env ?? {}) as { server?: unknown };
  const { timeout } = (server ?? {}) as Partial<BunServer>;
  return typeof timeout === "function" ? server as BunServer : undefined;
}
