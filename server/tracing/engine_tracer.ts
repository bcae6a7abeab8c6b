import type { EngineTracer, TracedWork, WorkSpan } from "@taskcast/core/adapter";
import { TaskcastError } from "@taskcast/core/protocol";
import type { OpenTelemetry } from "./open_telemetry.ts";
import { openTelemetry } from "./open_telemetry.ts";
import { remoteContext, spanContextOf, traceparentOf, tracer } from "./tracer.ts";

const UNTRACED: WorkSpan = { link() {}, fail() {} };

/**
 * Returns a tracer that reports an engine's work to the process's OpenTelemetry SDK. Without an SDK,
 * its cost is negligible.
 *
 * @example
 * ```ts
 * import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
 * import { createEngineTracer } from "@taskcast/server";
 *
 * const engine = new TaskEngine({
 *   broadcast: new MemoryBroadcastProvider(),
 *   shortTermStore: new MemoryShortTermStore(),
 *   tracer: createEngineTracer(),
 * });
 * await engine.close();
 * ```
 */
export function createEngineTracer(): EngineTracer {
  // An SDK that is registered already will be used.
  if (openTelemetry.isTracing()) openTelemetry.load();
  return {
    isTracing: openTelemetry.isTracing,
    trace(work, run) {
      // Without tracing, not even a promise is added around the work.
      if (!openTelemetry.isTracing()) return run(UNTRACED);
      const api = openTelemetry.load();
      // Work starts synchronously with its call, so calls keep their order: a publish before a
      // deletion.
      return api instanceof Promise
        ? api.then((loaded) => loaded === undefined ? run(UNTRACED) : trace(loaded, work, run))
        : trace(api, work, run);
    },
  };
}

async function trace<T>(
  api: OpenTelemetry,
  { name, isCall = false, parent, attributes }: TracedWork,
  run: (span: WorkSpan) => Promise<T>,
): Promise<T> {
  const { context, SpanKind, SpanStatusCode } = api;
  const from = parent === "active" ? context.active() : remoteContext(api, parent.traceparent);
  const kind = isCall ? SpanKind.CLIENT : SpanKind.INTERNAL;
  const span = tracer(api).startSpan(name, { kind, attributes }, from);
  const fail = (why: string) => void span.setStatus({ code: SpanStatusCode.ERROR, message: why });
  try {
    return await context.with(api.trace.setSpan(from, span), () =>
      run({
        traceparent: traceparentOf(api, span, from),
        link(traceparent) {
          const linked = spanContextOf(traceparent);
          if (linked !== undefined) span.addLink({ context: linked });
        },
        fail,
      }));
  } catch (error) {
    // A refused call is not an error of the engine.
    if (error instanceof TaskcastError) span.setAttribute("error.type", error.code);
    else fail(error instanceof Error ? error.name : "error");
    throw error;
  } finally {
    span.end();
  }
}
