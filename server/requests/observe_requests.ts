import type { Context, Handler, MiddlewareHandler } from "hono";
import type { RequestInfo } from "./request_info.ts";
import { beginRequest } from "./request_info.ts";
import { openTelemetry } from "../tracing/open_telemetry.ts";
import { traceRequest } from "../tracing/trace_requests.ts";

/** A request that was answered. What it asked for beyond its route is left out on purpose. */
export interface AnsweredRequest {
  /** Names the request in its answer and in logs. */
  requestId: string;
  /** One of the methods that HTTP has, else `other`. */
  method: string;
  /** The path of its operation, as in OpenAPI, or `other`: never a path that callers choose. */
  route: string;
  /** The task it was about. */
  taskId?: string;
  /** HTTP status; of a refusal that a browser gets as a stream, that of the refusal. */
  status: number;
  /** Milliseconds until the answer began; a stream goes on after that. */
  durationMs: number;
}

/** Answers a request, and may write down in `info` what it has learned of it. */
export type Answer = (context: Context, info: RequestInfo) => Response | Promise<Response>;

/** Observation of requests. */
export interface ObserveOptions {
  /** Words the answer to a request that failed. */
  onError: (error: unknown, context: Context, info: RequestInfo) => Response;
  onAnswered: (answered: AnsweredRequest) => void;
}

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** Under a name of our own: the app may be mounted into one that has names, too. */
const KEY = "taskcastRequest";

/**
 * Wrapper around every request: gives it an id, which the response repeats, traces it, turns errors
 * into responses, and reports the response.
 *
 * It wraps each route instead of being middleware before all of them, where each part would add
 * more promises and closures to every request than its own work takes.
 */
export class ObservedRequests {
  readonly #options: ObserveOptions;

  constructor(options: ObserveOptions) {
    this.#options = options;
  }

  /** A route. */
  handler(answer: Answer): Handler {
    return (context) => {
      const begun: RequestInfo | undefined = context.get(KEY);
      return begun === undefined
        ? this.#observe(context, beginRequest(context), answer)
        : this.#answer(context, begun, answer);
    };
  }

  /** Middleware that answers some requests itself and has something to say in answers of others. */
  around(middleware: MiddlewareHandler): MiddlewareHandler {
    return (context, next) => {
      const info = beginRequest(context);
      context.set(KEY, info);
      return this.#observe(
        context,
        info,
        async () => await middleware(context, next) ?? context.res,
      );
    };
  }

  async #observe(context: Context, info: RequestInfo, answer: Answer): Promise<Response> {
    const startMs = performance.now();
    let response: Response;
    if (openTelemetry.isTracing()) {
      response = await traceRequest(
        context.req,
        info,
        () => this.#answer(context, info, answer),
      );
    } else {
      // As in #answer, without another promise.
      try {
        response = await answer(context, info);
      } catch (error) {
        response = this.#failed(error, context, info);
      }
    }
    const { requestId, route, taskId } = info;
    if (response !== info.named) response.headers.set("x-request-id", requestId);
    const { method } = context.req;
    try {
      this.#options.onAnswered({
        requestId,
        method: METHODS.has(method) ? method : "other",
        route,
        ...(taskId === undefined ? {} : { taskId }),
        status: info.refusedWith ?? response.status,
        durationMs: performance.now() - startMs,
      });
    } catch (error) {
      // The host's, which must not throw.
      response = this.#failed(error, context, info);
      response.headers.set("x-request-id", requestId);
    }
    return response;
  }

  async #answer(context: Context, info: RequestInfo, answer: Answer): Promise<Response> {
    try {
      return await answer(context, info);
    } catch (error) {
      return this.#failed(error, context, info);
    }
  }

  #failed(error: unknown, context: Context, info: RequestInfo): Response {
    // Where the host's own middleware looks for it.
    if (error instanceof Error) context.error = error;
    return this.#options.onError(error, context, info);
  }
}
