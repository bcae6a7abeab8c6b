// deno-lint-ignore-file no-process-global
// As the user's deployment guide has it.
// taskcast.config.ts
import type { TaskcastConfig } from "@taskcast/core";

export default {
  port: 3721,
  logLevel: "info",

  auth: {
    mode: "jwt",
    jwt: {
      algorithm: "RS256",
      publicKeyFile: "/run/secrets/jwt.pub",
    },
  },

  adapters: {
    broadcast: { provider: "redis", url: process.env.REDIS_URL },
    shortTerm: { provider: "redis", url: process.env.REDIS_URL },
    longTerm: { provider: "postgres", url: process.env.DATABASE_URL },
  },

  sentry: {
    dsn: process.env.SENTRY_DSN,
    captureTaskFailures: true,
    captureTaskTimeouts: true,
    captureUnhandledErrors: true,
  },

  webhook: {
    defaultRetry: {
      retries: 3,
      backoff: "exponential",
      initialDelayMs: 1000,
      maxDelayMs: 30000,
      timeoutMs: 5000,
    },
  },

  cleanup: {
    rules: [
      {
        match: { taskTypes: ["llm.*"] },
        trigger: { afterMs: 3600_000 },
        target: "events",
        eventFilter: { levels: ["debug"] },
      },
      {
        trigger: { afterMs: 86400_000 * 7 },
        target: "all",
      },
    ],
  },
} satisfies TaskcastConfig;
