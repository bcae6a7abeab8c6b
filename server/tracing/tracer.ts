import type { Context, Span, SpanContext, Tracer } from "@opentelemetry/api";
import { isSpanContextValid, ProxyTracerProvider, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { formatTraceparent, parseTraceparent } from "@taskcast/core";
import { VERSION } from "../version.ts";

// Without an SDK all of this does nothing, and spans have the ids of their parents. With one, which
// may be registered at any time, or with OTEL_DENO=true, spans get ids of their own.

/** What makes spans. */
export function tracer(): Tracer {
  return trace.getTracer("taskcast", VERSION);
}

/** Whether there is an SDK, or something like it, that spans go to. */
export function isTracing(): boolean {
  const provider = trace.getTracerProvider();
  return !(provider instanceof ProxyTracerProvider) ||
    provider.getDelegateTracer("taskcast", VERSION) !== undefined;
}

/** The context of somebody else's span. */
export function remoteContext(
  traceparent: string | undefined,
  base: Context = ROOT_CONTEXT,
): Context {
  const parent = traceparent === undefined ? undefined : spanContextOf(traceparent);
  return parent === undefined ? base : trace.setSpanContext(base, parent);
}

/** The span that a `traceparent` names. */
export function spanContextOf(traceparent: string): SpanContext | undefined {
  const parsed = parseTraceparent(traceparent);
  if (parsed === undefined) return undefined;
  const { traceId, spanId, flags } = parsed;
  return { traceId, spanId, traceFlags: flags, isRemote: true };
}

/** The `traceparent` of a span that somebody makes, which is none of those that only pass through. */
export function traceparentOf(span: Span, parent: Context): string | undefined {
  const { traceId, spanId, traceFlags: flags } = span.spanContext();
  if (!isSpanContextValid(span.spanContext())) return undefined;
  if (spanId === trace.getSpanContext(parent)?.spanId) return undefined;
  return formatTraceparent({ traceId, spanId, flags });
}
