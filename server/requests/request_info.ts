import type { Context } from "hono";

/** Facts about a request while it is served. */
export interface RequestInfo {
  /** Names the request in its answer and in logs. */
  readonly requestId: string;
  /** The path of its operation, as in OpenAPI; `other` as long as none took it. */
  route: string;
  /** The task it is about. */
  taskId: string | undefined;
  /** Where it stands in a trace of ours, as W3C says; without one its caller's word counts. */
  traceparent: string | undefined;
  /** The status of a refusal whose answer has another one, so that a browser asks again. */
  refusedWith: number | undefined;
  /** An answer that says the request's id already. */
  named: Response | undefined;
}

/** Ids that a caller may choose; others could forge lines of a log. */
const SANE = /^[A-Za-z0-9._-]{1,128}$/;

/** Begins what is known of a request: its id is the caller's, or is made. */
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
