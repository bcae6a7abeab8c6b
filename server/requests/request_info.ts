import type { Context } from "hono";

/** Information about a request while it is served. */
export interface RequestInfo {
  /** Identifies the request in its answer and in logs. */
  readonly requestId: string;
  /** The path of the operation as in OpenAPI; `other` until an operation matches. */
  route: string;
  /** Id of the task that the request is about. */
  taskId: string | undefined;
  /**
   * Position in a trace of this process, as W3C defines it. Without one, the caller's header
   * counts.
   */
  traceparent: string | undefined;
  /** The status of a refusal that is answered with another status so that browsers reconnect. */
  refusedWith: number | undefined;
  /** A response that already contains the request's id. */
  named: Response | undefined;
}

/** Request ids accepted from callers. Other characters could forge log lines. */
const SANE = /^[A-Za-z0-9._-]{1,128}$/;

/**
 * Returns the information that a request begins with. The id is the caller's, or a generated one.
 */
export function beginRequest(context: Context): RequestInfo {
  const given = context.req.raw.headers.get("x-request-id");
  const requestId = given !== null && SANE.test(given) ? given : crypto.randomUUID();
  return {
    requestId,
    route: "other",
    taskId: undefined,
    traceparent: undefined,
    refusedWith: undefined,
    named: undefined,
  };
}
