import { originProblem } from "@taskcast/core/internal";
import type { MiddlewareHandler } from "hono";
import type { CorsOptions } from "./cors.ts";

/** Reports the origins of pages that may not call, so that operators know what to allow. */
export class ForeignOrigins {
  readonly #isAllowed: (origin: string) => boolean;
  readonly #onRefused: ((origin: string) => void) | undefined;

  constructor(cors: CorsOptions | undefined, onRefused: ((origin: string) => void) | undefined) {
    const { origin = [] } = cors ?? {};
    const allowed = new Set([origin].flat());
    this.#isAllowed = typeof origin === "function"
      ? origin
      : (asking) => origin === "*" || allowed.has(asking);
    this.#onRefused = onRefused;
  }

  /** Reports the origin of a preflight, or of a page's `GET`, if it may not call. */
  report({ headers }: Request): void {
    if (this.#onRefused === undefined) return;
    const origin = headers.get("origin");
    if (origin === null || this.#isAllowed(origin)) return;
    // Browsers never send a malformed origin, so its content cannot be trusted.
    if (originProblem(origin) === undefined) this.#onRefused(origin);
  }

  /** Wraps middleware that answers preflights, and reports each one first. */
  reporting(middleware: MiddlewareHandler): MiddlewareHandler {
    return (context, next) => {
      if (context.req.method === "OPTIONS") this.report(context.req.raw);
      return middleware(context, next);
    };
  }
}

/**
 * Returns the message for a preflight when pages of other origins may not call; `undefined` for
 * other requests.
 */
export function preflightRefusal({ method, headers }: Request): string | undefined {
  const origin = headers.get("origin");
  if (method !== "OPTIONS" || origin === null || !headers.has("access-control-request-method")) {
    return undefined;
  }
  const whose = originProblem(origin) === undefined ? `of ${origin}` : "of other origins";
  return `Pages ${whose} may not call this server: allow them with --cors, TASKCAST_CORS or ` +
    "cors.origin of the command, or with the option cors of createTaskcastApp()";
}
