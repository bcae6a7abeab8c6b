import type { Context, Span, SpanContext, Tracer } from "@opentelemetry/api";
import { formatTraceparent, parseTraceparent } from "@taskcast/core/internal";
import { VERSION } from "../version.ts";
import type { OpenTelemetry } from "./open_telemetry.ts";

/** Returns the tracer that creates spans. */
export function tracer({ trace }: OpenTelemetry): Tracer {
  return trace.getTracer("taskcast", VERSION);
}

/** The context of somebody else's span. */
export function remoteContext(
  { trace, ROOT_CONTEXT }: OpenTelemetry,
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
export function traceparentOf(
  { trace, isSpanContextValid }: OpenTelemetry,
  span: Span,
  parent: Context,
): string | undefined {
  const { traceId, spanId, traceFlags: flags } = span.spanContext();
  if (!isSpanContextValid(span.spanContext())) return undefined;
  if (spanId === trace.getSpanContext(parent)?.spanId) return undefined;
  return formatTraceparent({ traceId, spanId, flags });
}
