/** A unit of the engine's work, described for tracing. */
export interface TracedWork {
  /** Name of the span, e.g. `taskcast publish`. */
  name: string;
  /** The work calls another service (span kind "client"). @default {false} */
  isCall?: boolean;
  /**
   * Parent of the span: `active` for the caller's span, a W3C `traceparent`, or none for work that
   * merely runs on a timer which a request started.
   */
  parent: "active" | { traceparent: string | undefined };
  /** Attributes of the span; never the data of events. */
  attributes: Readonly<Record<string, string | number>>;
}

/** The span of work in progress. */
export interface WorkSpan {
  /** The W3C `traceparent` to pass on to called services; left out when tracing is off. */
  readonly traceparent?: string;
  /** Links the span to another trace. */
  link(traceparent: string): void;
  /** Schedules the span as failed, without an exception. */
  fail(why: string): void;
}

/** Traces the work of an engine, for hosts that use tracing. */
export interface EngineTracer {
  /**
   * Returns whether spans are recorded at the moment; if left out, they are. Frequent work is not
   * passed to `trace` while they are not.
   */
  isTracing?(): boolean;
  /** Runs work in a span that ends with it. Exceptions are passed on. */
  trace<T>(work: TracedWork, run: (span: WorkSpan) => Promise<T>): Promise<T>;
}
