import type { Context } from "hono";

/** The part of Bun's server that is used here; Bun passes it to `fetch` as the second argument. */
interface BunServer {
  /** Sets the seconds without a byte after which the request's connection closes; 0 means never. */
  timeout(request: Request, seconds: number): void;
}

/**
 * Bun's default `idleTimeout`, restored for connections that carry other requests after a stream.
 */
const BUN_IDLE_SECONDS = 10;

const IS_BUN = "Bun" in globalThis;

/**
 * Keeps a request's connection open on hosts that close idle connections, since a stream may be
 * silent for any time. `Bun.serve` is such a host. This works only if `app.fetch` receives the
 * server that Bun passes, as in `Bun.serve({ fetch: app.fetch })`.
 *
 * @param onEnd Called when the stream has ended.
 * @returns A function to call instead of `onEnd`.
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
    // The connection may be kept alive for other requests, and must not stay open for ever.
    server.timeout(raw, BUN_IDLE_SECONDS);
    onEnd();
  };
}

/** Finds Bun's server as Hono's own helpers do: the environment itself, or its `server`. */
function bunServerOf(env: unknown): BunServer | undefined {
  const { server = env } = (env ?? {}) as { server?: unknown };
  const { timeout } = (server ?? {}) as Partial<BunServer>;
  return typeof timeout === "function" ? server as BunServer : undefined;
}
