import { originProblem } from "@taskcast/core/internal";
import type { MiddlewareHandler } from "hono";
import type { CorsOptions } from "./cors.ts";

/** Which pages of other origins ask and may not, so that somebody can be told what to set. */
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

  /** Tells the host when a preflight, or a `GET` of a page, is of an origin that may not call. */
  look({ headers }: Request): void {
    if (this.#onRefused === undefined) return;
    const origin = headers.get("origin");
    if (origin === null || this.#isAllowed(origin)) return;
    // What is no origin comes from no browser, and may be anything.
    if (originProblem(origin) === undefined) this.#onRefused(origin);
  }

  /** Middleware that answers preflights, each of which is looked at first. */
  watching(middleware: MiddlewareHandler): MiddlewareHandler {
    return (context, next) => {
      if (context.req.method === "OPTIONS") this.look(context.req.raw);
      return middleware(context, next);
    };
  }
}

/** Returns the refusal of a preflight if no other origin may call; undefined for other requests. */
export function preflightRefusal({ method, headers }: Request): string | undefined {
  const origin = headers.get("origin");
  if (method !== "OPTIONS" || origin === null || !headers.has("access-control-request-method")) {
    return undefined;
  }
  const whose = originProblem(origin) === undefined ? `of ${origin}` : "of other origins";
  return `Pages ${whose} may not call this server: allow them with --cors, TASKCAST_CORS or ` +
    "cors.origin of the command, or with the option cors of createTaskcastApp()";
}
