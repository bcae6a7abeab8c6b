/** A piece of the engine's work, as it is traced. */
export interface TracedWork {
  /** What is done, e.g. `taskcast publish`. */
  name: string;
  /** It calls somebody else. @default {false} */
  isCall?: boolean;
  /**
   * What it goes on from: `active` is whatever the caller is in; a W3C `traceparent`; or nothing,
   * for work that only happens to be done by a timer which a request has set.
   */
  parent: "active" | { traceparent: string | undefined };
  /** Facts; never what events carry. */
  attributes: Readonly<Record<string, string | number>>;
}

/** Work that is being traced. */
export interface WorkSpan {
  /** The W3C `traceparent` for those who are called; left out when nobody traces. */
  readonly traceparent?: string;
  /** It has to do with another trace. */
  link(traceparent: string): void;
  /** It failed without an exception. */
  fail(why: string): void;
}

/** Traces what an engine does, for hosts that trace. */
export interface EngineTracer {
  /**
   * Whether anybody traces at the moment. Left out: yes. What is done often is not given to
   * `trace` while nobody does.
   */
  isTracing?(): boolean;
  /** Does work in a span, which ends with it; what it throws is passed on. */
  trace<T>(work: TracedWork, run: (span: WorkSpan) => Promise<T>): Promise<T>;
}
