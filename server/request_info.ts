import type { Context } from "hono";

/** What is known of a request while it is served. */
export interface RequestInfo {
  /** Names the request in its answer and in logs. */
  readonly requestId: string;
  /** The path of its operation, as in OpenAPI; `other` as long as none took it. */
  route: string;
  /** The task it is about. */
  taskId?: string;
  /** Where it stands in a trace, as W3C says; what its caller sent may be anything. */
  traceparent?: string;
}

/** Under a name of our own: the app may be mounted into one that has names, too. */
const KEY = "taskcastRequest";

/** Ids that a caller may choose; others could forge lines of a log. */
const SANE = /^[A-Za-z0-9._-]{1,128}$/;

/** Begins what is known of a request: its id is the caller's, or is made. */
export function beginRequest(context: Context): RequestInfo {
  const given = context.req.header("x-request-id");
  const requestId = given !== undefined && SANE.test(given) ? given : crypto.randomUUID();
  const info: RequestInfo = { requestId, route: "other" };
  context.set(KEY, info);
  return info;
}

/** What is known of the request of a context. */
export function requestInfo(context: Context): RequestInfo {
  return context.get(KEY);
}
