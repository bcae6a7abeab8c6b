/** Fixed bounds of the API. */
export const BOUNDS = {
  /** Characters of a type, a series id, a producer id, a field name. */
  nameLength: 256,
  /** Characters of a reason. */
  reasonLength: 4_096,
  /** Tags of one task. */
  tags: 64,
  /** Highest priority of a task; the lowest is 0. */
  priority: 9,
  /** Rules of one `authConfig`. */
  authRules: 64,
  /** Webhooks of one task. */
  webhooks: 10,
  /** Clean-up rules of one task, and of a server. */
  cleanupRules: 32,
  /** Characters of an address. */
  urlLength: 2_048,
  /** Values in one filter or one rule's list. */
  listItems: 256,
  /** Longest ttl, in seconds: ten years. */
  ttlSeconds: 315_360_000,
  /** Characters of an idempotency key. */
  idempotencyKeyLength: 255,
  /** Shortest lease, in milliseconds. */
  shortestLeaseMs: 5_000,
  /** Longest lease, in milliseconds. */
  longestLeaseMs: 3_600_000,
  /** Characters of the name of a lease's holder. */
  holderLength: 128,
  /** Leases renewed by one request. */
  leasesPerRequest: 1_000,
  /** Tasks on one page of a list. */
  listPage: 500,
  /** Events on one page of a history. */
  historyPage: 10_000,
} as const;

/** Configurable bounds of an engine: counts, bytes of JSON, or levels of nesting. */
export interface Limits {
  /** Events one task may hold. @default {1000000} */
  maxEventsPerTask: number;
  /** Bytes of event data one task may hold. @default {268435456} */
  maxBytesPerTask: number;
  /** Bytes of one event's data. @default {1048576} */
  maxEventBytes: number;
  /** Events in one `publishEvents`. @default {1000} */
  maxBatchEvents: number;
  /** Levels of nesting in any accepted JSON. @default {64} */
  maxJsonDepth: number;
  /** Bytes of one task's own JSON (params, metadata, result …). @default {1048576} */
  maxTaskBytes: number;
}

/** The defaults of {@linkcode Limits}. */
export const DEFAULT_LIMITS: Readonly<Limits> = {
  maxEventsPerTask: 1_000_000,
  maxBytesPerTask: 268_435_456,
  maxEventBytes: 1_048_576,
  maxBatchEvents: 1_000,
  maxJsonDepth: 64,
  maxTaskBytes: 1_048_576,
};
