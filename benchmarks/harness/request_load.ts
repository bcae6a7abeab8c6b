/** A request that is sent again and again. */
export interface LoadRequest {
  method: "GET" | "POST" | "PATCH";
  path: string;
  /** JSON. */
  body?: unknown;
}

/** Requests as fast as they are answered. */
export interface RequestLoad {
  /** Address of the server. */
  url: string;
  /** Sent in turns by all connections. */
  requests: readonly LoadRequest[];
  /** Connections, each with one request at a time. */
  connections: number;
  /** Duration of the load. */
  seconds: number;
}

/** Outcome of a load. */
export interface RequestLoadResult {
  requestsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Answers other than 2xx, and connections that failed. */
  errors: number;
  generator: "wrk" | "fetch";
}
