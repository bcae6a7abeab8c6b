import type { MiddlewareHandler } from "hono";
import { beginRequest } from "./request_info.ts";

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
  /** HTTP status. */
  status: number;
  /** Milliseconds until the answer began; a stream goes on after that. */
  durationMs: number;
}

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** Gives each request an id, says it in the answer, and tells of the answer. */
export function observeRequests(
  onAnswered: (answered: AnsweredRequest) => void,
): MiddlewareHandler {
  return async (context, next) => {
    const startMs = performance.now();
    const info = beginRequest(context);
    await next();
    context.res.headers.set("x-request-id", info.requestId);
    const { method } = context.req;
    onAnswered({
      requestId: info.requestId,
      method: METHODS.has(method) ? method : "other",
      route: info.route,
      ...(info.taskId === undefined ? {} : { taskId: info.taskId }),
      status: context.res.status,
      durationMs: performance.now() - startMs,
    });
  };
}
