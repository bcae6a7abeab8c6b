import type { HonoRequest } from "hono";
import type { RequestInfo } from "../requests/request_info.ts";
import { openTelemetry } from "./open_telemetry.ts";
import { remoteContext, traceparentOf, tracer } from "./tracer.ts";

/**
 * Traces a request until its answer begins, as part of the trace in its `traceparent`. If the host
 * or the runtime has already opened a span for the request, that one is the parent.
 */
export async function traceRequest(
  request: HonoRequest,
  info: RequestInfo,
  answer: () => Promise<Response>,
): Promise<Response> {
  const api = await openTelemetry.load();
  if (api === undefined) return await answer();
  const { context: active, SpanKind, SpanStatusCode, trace } = api;
  const { method } = request;
  const outer = active.active();
  const isInside = trace.getSpan(outer) !== undefined;
  const from = isInside ? outer : remoteContext(api, request.header("traceparent"), outer);
  const kind = isInside ? SpanKind.INTERNAL : SpanKind.SERVER;
  const span = tracer(api).startSpan(method, {
    kind,
    attributes: { "http.request.method": method, "taskcast.request.id": info.requestId },
  }, from);
  info.traceparent = traceparentOf(api, span, from);
  try {
    const response = await active.with(trace.setSpan(from, span), answer);
    const status = info.refusedWith ?? response.status;
    span.updateName(`${method} ${info.route}`);
    span.setAttributes({ "http.route": info.route, "http.response.status_code": status });
    if (info.taskId !== undefined) span.setAttribute("taskcast.task.id", info.taskId);
    if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
    return response;
  } finally {
    span.end();
  }
}
