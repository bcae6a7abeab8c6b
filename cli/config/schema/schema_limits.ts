import { DEFAULT_ENGINE_OPTIONS } from "@taskcast/core";
import type { EngineConfig, LimitsConfig } from "@taskcast/core/config";
import { DEFAULT_LIMITS } from "@taskcast/core/protocol";
import { z } from "zod";
import { DEFAULT_HEADERS_TIMEOUT_MS } from "../../listen/connections/limits.ts";
import { key, named } from "./describe.ts";
import { assertSameType, type Same } from "./same_type.ts";
import { MAX_PERIOD_MS, MAX_RATE, MAX_STREAMS, positive, timer, whole } from "./values.ts";

const rateLimit = named(
  z.strictObject({
    requestsPerSecond: key(
      whole(1, MAX_RATE),
      "Requests a second from one credential; an address may send ten times as many",
      { env: "TASKCAST_RATE_LIMIT", defaultText: "no limit" },
    ),
    burst: key(whole(1, MAX_RATE), "Requests that may arrive at once; needs `requestsPerSecond`", {
      env: "TASKCAST_RATE_BURST",
      defaultText: "twice `requestsPerSecond`",
    }),
  }),
  "RateLimitConfig",
  "Rate limit of requests.",
);

const limitsSchema = named(
  z.strictObject({
    maxEventsPerTask: key(positive(), "Events that one task may hold", {
      default: DEFAULT_LIMITS.maxEventsPerTask,
    }),
    maxBytesPerTask: key(positive(), "Bytes of event data that one task may hold", {
      default: DEFAULT_LIMITS.maxBytesPerTask,
    }),
    maxEventBytes: key(positive(), "Bytes of one event's data", {
      default: DEFAULT_LIMITS.maxEventBytes,
    }),
    maxBatchEvents: key(positive(), "Events in one request", {
      default: DEFAULT_LIMITS.maxBatchEvents,
    }),
    maxJsonDepth: key(positive(), "Levels of nesting in any JSON", {
      default: DEFAULT_LIMITS.maxJsonDepth,
    }),
    maxTaskBytes: key(positive(), "Bytes of one task's own JSON: params, metadata, result, …", {
      default: DEFAULT_LIMITS.maxTaskBytes,
    }),
    maxBodyBytes: key(positive(), "Bytes of a request body, and of one line of NDJSON", {
      default: 1024 * 1024,
    }),
    rateLimit: key(rateLimit, "Rate limit of requests"),
    maxStreams: key(whole(1, MAX_STREAMS), "Open streams of all callers together", {
      default: 10_000,
      env: "TASKCAST_MAX_STREAMS",
    }),
    maxStreamsPerCredential: key(
      whole(1, MAX_STREAMS),
      "Open streams of one credential, or of one address without authentication",
      { env: "TASKCAST_MAX_STREAMS_PER_CREDENTIAL", defaultText: "no limit" },
    ),
    maxConnections: key(whole(1, MAX_STREAMS), "Open connections of all clients together", {
      env: "TASKCAST_MAX_CONNECTIONS",
      defaultText: "10 000, or 80 % of the file descriptors if that is less",
    }),
    maxConnectionsPerAddress: key(
      whole(1, MAX_STREAMS),
      "Open connections of one address, or of one /64 network of IPv6; no effect with `Deno.serve`",
      {
        env: "TASKCAST_MAX_CONNECTIONS_PER_ADDRESS",
        defaultText: "1 000 for a public address; no limit for a private one and with `trustProxy`",
      },
    ),
    headersTimeoutMs: key(
      timer(),
      "Milliseconds in which the headers of a request must arrive; no effect with `Deno.serve`",
      { default: DEFAULT_HEADERS_TIMEOUT_MS },
    ),
    bodyTimeoutMs: key(
      timer(),
      "Milliseconds that a request body may pause; NDJSON may pause longer",
      { default: 30_000 },
    ),
  }),
  "LimitsConfig",
  "Limits on input, streams and connections.",
);

assertSameType<Same<z.output<typeof limitsSchema>, LimitsConfig>>();

/** Limits on input, streams and connections. */
export const limits: z.ZodType<LimitsConfig, LimitsConfig> = limitsSchema;

const engineSchema = named(
  z.strictObject({
    pageSize: key(positive(), "Events read from the store at a time", {
      default: DEFAULT_ENGINE_OPTIONS.pageSize,
    }),
    pageBytes: key(positive(), "Approximate bytes read from the store at a time", {
      default: DEFAULT_ENGINE_OPTIONS.pageBytes,
    }),
    historyBytes: key(positive(), "Approximate bytes in one page of history", {
      default: DEFAULT_ENGINE_OPTIONS.historyBytes,
    }),
    tailBytes: key(whole(0), "Bytes of recent events kept in memory per task with readers", {
      default: DEFAULT_ENGINE_OPTIONS.tailBytes,
    }),
    wakesPerTurn: key(
      positive(),
      "Readers of one task woken before other work gets its turn; the rest wait up to 1 ms",
      { default: DEFAULT_ENGINE_OPTIONS.wakesPerTurn },
    ),
    heartbeatMs: key(timer(), "Milliseconds between heartbeats on idle streams", {
      default: DEFAULT_ENGINE_OPTIONS.heartbeatMs,
    }),
    pollMs: key(timer(), "Milliseconds between polls that make up for lost wake-ups", {
      default: DEFAULT_ENGINE_OPTIONS.pollMs,
    }),
    storeRetryMs: key(
      timer(),
      "Milliseconds until a stream retries while the store is unreachable",
      { default: DEFAULT_ENGINE_OPTIONS.storeRetryMs },
    ),
    sweepMs: key(
      whole(0, MAX_PERIOD_MS),
      "Milliseconds between searches for due work that another instance left behind; 0: none",
      { default: DEFAULT_ENGINE_OPTIONS.sweepMs },
    ),
    sweepLimit: key(positive(), "Due tasks handled at a time", {
      default: DEFAULT_ENGINE_OPTIONS.sweepLimit,
    }),
    archiveDelayMs: key(
      whole(0, MAX_PERIOD_MS),
      "Milliseconds between a commit and its copy to the archive",
      { default: DEFAULT_ENGINE_OPTIONS.archiveDelayMs },
    ),
    archiveBatch: key(positive(), "Events written to the archive at a time", {
      default: DEFAULT_ENGINE_OPTIONS.archiveBatch,
    }),
    archivePercent: key(
      whole(10, 100),
      "Percentage of the time that archiving may work while events are published; 100: no pauses",
      { default: DEFAULT_ENGINE_OPTIONS.archivePercent },
    ),
    hotRetentionMs: key(
      whole(0, MAX_PERIOD_MS),
      "Milliseconds that an ended task stays in the short-term store when there is an archive",
      { default: DEFAULT_ENGINE_OPTIONS.hotRetentionMs },
    ),
    cleanupSearchMs: key(
      whole(1, MAX_PERIOD_MS),
      "Milliseconds between searches of all ended tasks for clean-up rules that apply",
      { default: DEFAULT_ENGINE_OPTIONS.cleanupSearchMs },
    ),
  }),
  "EngineConfig",
  "Tuning of the engine: sizes and intervals.",
);

assertSameType<Same<z.output<typeof engineSchema>, EngineConfig>>();

/** Tuning of the engine: sizes and intervals. */
export const engine: z.ZodType<EngineConfig, EngineConfig> = engineSchema;
