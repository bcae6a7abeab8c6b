import type { EngineTracer, WorkSpan } from "../contracts/tracer.ts";

const NOTHING: WorkSpan = { link() {}, fail() {} };

/** Traces nothing. */
export const noTracer: EngineTracer = {
  isTracing: () => false,
  trace: (_, run) => run(NOTHING),
};
