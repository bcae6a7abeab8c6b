/** A request that is sent repeatedly. */
export interface LoadRequest {
  method: "GET" | "POST" | "PATCH";
  path: string;
  /** Sent as JSON. */
  body?: unknown;
}

/** Requests to send as fast as they are answered. */
export interface RequestLoad {
  /** Address of the server. */
  url: string;
  /** Requests that the connections send in turns. */
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
