import type { TaskcastConfig } from "@taskcast/core";
import { DEFAULT_ENGINE_OPTIONS } from "@taskcast/core";
import { DEFAULT_LIMITS, DEFAULT_WEBHOOK_RETRY } from "@taskcast/core/protocol";
import { DEFAULT_HEADERS_TIMEOUT_MS } from "../listen/connections/limits.ts";

/** What holds where nothing else is said. */
export const DEFAULTS:
  & TaskcastConfig
  & Required<Pick<TaskcastConfig, "port" | "logLevel">> = {
    port: 3721,
    logLevel: "info",
    trustProxy: 0,
    allowShortSecrets: false,
    auth: {
      mode: "none",
      jwt: {
        algorithm: "HS256",
        jwksCooldownMs: 30_000,
        jwksMaxAgeMs: 600_000,
        clockToleranceSeconds: 0,
      },
    },
    sentry: {
      captureTaskFailures: true,
      captureTaskTimeouts: true,
      captureUnhandledErrors: true,
      includePayloads: false,
    },
    webhook: { defaultRetry: DEFAULT_WEBHOOK_RETRY },
    cors: { credentials: false, maxAgeSeconds: 600 },
    limits: {
      ...DEFAULT_LIMITS,
      maxBodyBytes: 1024 * 1024,
      maxStreams: 10_000,
      headersTimeoutMs: DEFAULT_HEADERS_TIMEOUT_MS,
      bodyTimeoutMs: 30_000,
    },
    engine: DEFAULT_ENGINE_OPTIONS,
  };

/** What the options of our providers are where nothing else is said. */
export const PROVIDER_DEFAULTS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  memory: { maxBytes: 512 * 1024 * 1024 },
  sqlite: { path: "taskcast.db", synchronous: "full" },
  redis: {
    prefix: "taskcast:",
    partitions: 32,
    timeoutMs: 5_000,
    maxPending: 10_000,
    shardedPubSub: false,
  },
  postgres: { autoMigrate: true, maxConnections: 10, timeoutMs: 10_000, maxPending: 10_000 },
  "deno-kv": { timeoutMs: 10_000, maxPending: 10_000 },
};
