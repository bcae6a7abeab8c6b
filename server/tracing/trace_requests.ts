import { context as active, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import type { MiddlewareHandler } from "hono";
import { requestInfo } from "../request_info.ts";
import { isTracing, remoteContext, traceparentOf, tracer } from "./tracer.ts";

/**
 * Traces each request until its answer begins, as a part of the trace that its `traceparent` names.
 * Inside a span that the host or the runtime has opened for it already, that one goes before.
 */
export function traceRequests(): MiddlewareHandler {
  return async (context, next) => {
    const info = requestInfo(context);
    const { method } = context.req;
    const given = context.req.header("traceparent");
    if (!isTracing()) {
      info.traceparent = given; // It is passed on as it came.
      return await next();
    }
    const outer = active.active();
    const isInside = trace.getSpan(outer) !== undefined;
    const from = isInside ? outer : remoteContext(given, outer);
    const kind = isInside ? SpanKind.INTERNAL : SpanKind.SERVER;
    const span = tracer().startSpan(method, {
      kind,
      attributes: { "http.request.method": method, "taskcast.request.id": info.requestId },
    }, from);
    info.traceparent = traceparentOf(span, from) ?? given;
    try {
      await active.with(trace.setSpan(from, span), () => next());
    } finally {
      const { status } = context.res;
      span.updateName(`${method} ${info.route}`);
      span.setAttributes({ "http.route": info.route, "http.response.status_code": status });
      if (info.taskId !== undefined) span.setAttribute("taskcast.task.id", info.taskId);
      if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    }
  };
}
