import type { Context, Handler, MiddlewareHandler } from "hono";
import type { RequestInfo } from "./request_info.ts";
import { beginRequest } from "./request_info.ts";
import { openTelemetry } from "../tracing/open_telemetry.ts";
import { traceRequest } from "../tracing/trace_requests.ts";

/** An answered request. It deliberately contains nothing of the URL beyond the route. */
export interface AnsweredRequest {
  /** Identifies the request in its answer and in logs. */
  requestId: string;
  /** One of HTTP's methods, or `other`. */
  method: string;
  /** The path of the operation as in OpenAPI, or `other`: never a path that callers choose. */
  route: string;
  /** Id of the task that the request was about. */
  taskId?: string;
  /** HTTP status. For a refusal that a browser gets as a stream, the status of the refusal. */
  status: number;
  /** Milliseconds until the answer began; a stream goes on after that. */
  durationMs: number;
}

/** Answers a request. May add to `info`, for example the task's id. */
export type Answer = (context: Context, info: RequestInfo) => Response | Promise<Response>;

/** Options of {@linkcode ObservedRequests}. */
export interface ObserveOptions {
  /** Returns the answer to a request that failed. */
  onError: (error: unknown, context: Context, info: RequestInfo) => Response;
  onAnswered: (answered: AnsweredRequest) => void;
}

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** A name of our own: the app may be mounted into one that sets names, too. */
const KEY = "taskcastRequest";

/**
 * Wraps every request: it assigns an id, which the answer contains, traces the request, turns
 * errors into answers, and reports the answer.
 *
 * It wraps each route instead of running before all of them as middleware. As middleware, each part
 * would add promises and closures to every request, which cost more than the work itself.
 */
export class ObservedRequests {
  readonly #options: ObserveOptions;

  constructor(options: ObserveOptions) {
    this.#options = options;
  }

  /** Wraps a route. */
  handler(answer: Answer): Handler {
    return (context) => {
      const begun: RequestInfo | undefined = context.get(KEY);
      return begun === undefined
        ? this.#observe(context, beginRequest(context), answer)
        : this.#answer(context, begun, answer);
    };
  }

  /** Wraps middleware that answers some requests itself and adds headers to other answers. */
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
      // Duplicates #answer: calling it would add a promise.
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
      // The host's callback, which must not throw.
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
