import type { Context, Span, SpanContext, Tracer } from "@opentelemetry/api";
import { formatTraceparent, parseTraceparent } from "@taskcast/core/internal";
import { VERSION } from "../version.ts";
import type { OpenTelemetry } from "./open_telemetry.ts";

/** Returns Taskcast's own tracer. */
export function tracer({ trace }: OpenTelemetry): Tracer {
  return trace.getTracer("taskcast", VERSION);
}

/** Returns a context whose parent is a span of another process. */
export function remoteContext(
  { trace, ROOT_CONTEXT }: OpenTelemetry,
  traceparent: string | undefined,
  base: Context = ROOT_CONTEXT,
): Context {
  const parent = traceparent === undefined ? undefined : spanContextOf(traceparent);
  return parent === undefined ? base : trace.setSpanContext(base, parent);
}

/** Parses a `traceparent` into the context of its span. */
export function spanContextOf(traceparent: string): SpanContext | undefined {
  const parsed = parseTraceparent(traceparent);
  if (parsed === undefined) return undefined;
  const { traceId, spanId, flags } = parsed;
  return { traceId, spanId, traceFlags: flags, isRemote: true };
}

/**
 * Returns the `traceparent` of a recorded span; `undefined` for spans that only pass a context
 * through.
 */
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
