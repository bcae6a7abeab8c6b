/** A request that is sent again and again. */
export interface LoadRequest {
  method: "GET" | "POST" | "PATCH";
  path: string;
  /** JSON. */
  body?: unknown;
}

/** Requests as fast as they are answered. */
export interface RequestLoad {
  /** Of the server. */
  url: string;
  /** Sent in turns by each connection. */
  requests: readonly LoadRequest[];
  /** Connections, each with one request at a time. */
  connections: number;
  seconds: number;
  /** Let the client sleep while it waits for answers, as programs do. @default {false} */
  mayClientSleep?: boolean;
}

/** How it went. */
export interface RequestLoadResult {
  requestsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Answers that are no success, and connections that failed. */
  errors: number;
  /** Milliseconds in which a client that does not sleep had nothing to do. */
  idleMs?: number;
  generator: "wrk" | "wrk that does not sleep" | "autocannon";
}
