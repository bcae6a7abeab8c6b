import type { HonoRequest } from "hono";
import type { RequestInfo } from "../requests/request_info.ts";
import { openTelemetry } from "./open_telemetry.ts";
import { remoteContext, traceparentOf, tracer } from "./tracer.ts";

/**
 * Traces a request until its answer begins, as a part of the trace that its `traceparent` names.
 * Inside a span that the host or the runtime has opened for it already, that one goes before.
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
