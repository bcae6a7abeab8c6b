import type { TaskcastConfig, TaskcastHooks } from "@taskcast/core";
import type { AuthFunction } from "@taskcast/core/config";
import { JWT_ALGORITHMS } from "@taskcast/core/internal";
import {
  BACKOFFS,
  BOUNDS,
  LEVELS,
  SCOPES,
  SERIES_MODES,
  TERMINAL_STATUSES,
} from "@taskcast/core/protocol";
import { z } from "zod";
import { LISTENERS } from "../../listen/contract.ts";
import { LOG_FORMATS } from "../../log/log_format.ts";
import { MAX_HOPS, MAX_PORT, MAX_RATE, MAX_STREAMS } from "../setting_values.ts";
import { agree, type Same } from "./same_type.ts";
import { code, secret, wants } from "./annotations.ts";
import { adaptersSchema } from "./schema_adapters.ts";
import { httpUrl, positive, text, textOrNothing, whole } from "./values.ts";

// The one description of a configuration: it checks, and the JSON Schema and the table of the
// documentation are made from it. `TaskcastConfig` says the same as a type; where they differ this file does not
// compile.

const HOUR_MS = 3_600_000;

const names = () => z.array(text()).min(1);

const jwt = z.strictObject({
  algorithm: z.enum(JWT_ALGORITHMS).optional().describe("The signature that every token must have"),
  secret: secret(text()).optional().describe("For HS256: the shared secret, 32 bytes or more"),
  publicKey: text().optional().describe("For the others: the key as PEM (SPKI) or JWK"),
  publicKeyFile: text().optional()
    .describe(
      "A file with the public key; a path in a file counts from there, the variable's from the " +
        "working folder",
    ),
  jwksUrl: httpUrl().optional().describe("For the others: where the issuer publishes its keys"),
  jwksCooldownMs: whole(0).optional()
    .describe("Milliseconds between two fetches because of an unknown key"),
  jwksMaxAgeMs: whole(0).optional()
    .describe("Milliseconds after which the keys are fetched again anyway"),
  issuer: z.union([text(), names()]).optional()
    .describe("The token's `iss` must be this, or one of these; the variable holds one"),
  audience: z.union([text(), names()]).optional()
    .describe("The token's `aud` must be or contain this, or one of these; the variable holds one"),
  clockToleranceSeconds: z.number().min(0).optional().describe(
    "Seconds by which clocks may differ",
  ),
  claims: z.strictObject({
    scope: z.union([text(), names()]).optional().describe(
      "The claim with the scopes, or a list of several; the variable holds one",
    ),
    taskIds: text().optional().describe(
      "The claim with the ids of tasks; `*`: every token is for all tasks",
    ),
    prefix: z.string().optional().describe("What scopes begin with in tokens; others do not count"),
  }).optional().describe("Where tokens say what their bearers may do"),
});

const auth = z.strictObject({
  mode: z.enum(["none", "jwt", "custom"]).optional()
    .describe("Who may call: anybody, who has a token, or who the function knows"),
  jwt: jwt.optional().describe("For the mode `jwt`"),
  custom: code<AuthFunction>("a function", (value) => typeof value === "function").optional()
    .describe("For the mode `custom`: a function of the request"),
});

const key = () => secret(z.string().min(16));

const trustedService = secret(z.union([
  key(),
  z.strictObject({
    key: key().describe("Sent as `X-Taskcast-Service-Key`"),
    scope: z.array(z.enum(SCOPES)).min(1).optional().describe("What it may do"),
    taskIds: z.union([wants(z.literal("*"), '"*"'), names()]).optional().describe(
      "The tasks it may touch",
    ),
  }),
]));

const sentry = z.strictObject({
  dsn: secret(textOrNothing()).optional().describe(
    "Where to report: `https://<key>@<host>/<project>`",
  ),
  environment: text().optional().describe("E.g. `staging`"),
  release: text().optional().describe("The version that runs"),
  captureTaskFailures: z.boolean().optional().describe("Reports tasks that became `failed`"),
  captureTaskTimeouts: z.boolean().optional().describe("Reports tasks that became `timeout`"),
  captureUnhandledErrors: z.boolean().optional()
    .describe("Reports errors that no caller hears of"),
  includePayloads: z.boolean().optional().describe("Adds what users put into tasks"),
});

const retry = z.strictObject({
  retries: whole(0, 20).optional().describe("Attempts after the first"),
  backoff: z.enum(BACKOFFS).optional().describe("How waiting times grow"),
  initialDelayMs: whole(0, HOUR_MS).optional().describe("Milliseconds until the second attempt"),
  maxDelayMs: whole(0, HOUR_MS).optional()
    .describe("Milliseconds that waiting does not go beyond"),
  timeoutMs: whole(100, 15_000).optional().describe("Milliseconds that one attempt may take"),
});

const globalWebhook = z.strictObject({
  name: text().describe("What it is called in addresses and messages"),
  url: text().describe("Where events are sent"),
  secret: secret(text()).optional().describe("Signs them"),
  wrap: z.boolean().optional().describe("`false`: the bare data"),
  taskTypes: names().optional().describe("Only tasks of these types, with wildcards"),
  filter: z.strictObject({
    types: names().optional().describe("Types, with wildcards"),
    levels: z.array(z.enum(LEVELS)).optional().describe("Levels"),
    includeStatus: z.boolean().optional().describe("`false`: without `taskcast:status`"),
  }).optional().describe("Only these events"),
  retry: retry.optional().describe("Instead of `defaultRetry`"),
});

const webhook = z.strictObject({
  defaultRetry: retry.optional().describe("For webhooks that say nothing else"),
  hooks: z.array(globalWebhook).optional().describe("Webhooks of all tasks"),
  allowPrivate: z.union([z.boolean(), names()]).optional()
    .describe("Hosts that may have a private address; `true` is all"),
});

const cleanupRule = z.strictObject({
  name: text().optional().describe("What it is called in messages"),
  match: z.strictObject({
    taskTypes: names().optional().describe("Types, with wildcards: `llm.*`"),
    status: z.array(z.enum(TERMINAL_STATUSES)).min(1).optional().describe("States"),
  }).optional().describe("Only these tasks"),
  trigger: z.strictObject({
    afterMs: whole(0).describe("Milliseconds after the task has ended"),
  }).describe("When"),
  target: z.enum(["all", "events", "task"]).describe("What is deleted"),
  eventFilter: z.strictObject({
    types: names().optional().describe("Types, with wildcards"),
    levels: z.array(z.enum(LEVELS)).min(1).optional().describe("Levels"),
    olderThanMs: whole(0).optional().describe("Milliseconds that an event is old at least"),
    seriesMode: z.enum(SERIES_MODES).optional().describe("The mode of its series"),
  }).optional().describe("With the target `events`: only these"),
});

const cors = z.strictObject({
  origin: z.union([text(), names()]).optional()
    .describe("`*`, or the origins allowed: a list, or a text with commas between"),
  credentials: z.boolean().optional().describe("Lets browsers send cookies; not with `*`"),
  allowedHeaders: names().optional().describe("Request headers of your own that pages may send"),
  maxAgeSeconds: whole(0).optional().describe("Seconds that an answer to a preflight is good"),
});

/** Milliseconds that one timer can wait. */
const timer = () => whole(1, 2 ** 31 - 1);

const limits = z.strictObject({
  maxEventsPerTask: positive().optional().describe("Events one task may hold"),
  maxBytesPerTask: positive().optional().describe("Bytes of event data one task may hold"),
  maxEventBytes: positive().optional().describe("Bytes of one event's data"),
  maxBatchEvents: positive().optional().describe("Events in one request"),
  maxJsonDepth: positive().optional().describe("Levels of nesting in any JSON"),
  maxTaskBytes: positive().optional().describe("Bytes of one task's own JSON"),
  maxBodyBytes: positive().optional().describe("Bytes of a body, and of a line of NDJSON"),
  rateLimit: z.strictObject({
    requestsPerSecond: whole(1, MAX_RATE).optional()
      .describe("Requests a second of one credential, and ten times as many of an address"),
    burst: whole(1, MAX_RATE).optional()
      .describe("Requests that may come at once; twice the rate where nothing is said"),
  }).optional().describe("How often one may ask"),
  maxStreams: whole(1, MAX_STREAMS).optional().describe("Open streams of all"),
  maxStreamsPerCredential: whole(1, MAX_STREAMS).optional()
    .describe("Open streams of one credential, or of an address where there are none"),
  maxConnections: whole(1, MAX_STREAMS).optional().describe(
    "Connections of all clients; by default 10 000, or 80 % of the descriptors if these are fewer",
  ),
  maxConnectionsPerAddress: whole(1, MAX_STREAMS).optional().describe(
    "Connections of one address; by default 1 000 of a public one, any number of a private one or behind `trustProxy`",
  ),
  headersTimeoutMs: timer().optional().describe("Milliseconds for the headers of a request"),
  bodyTimeoutMs: timer().optional().describe(
    "Milliseconds without a byte of a body; NDJSON may pause",
  ),
});

/** As far as a Date goes. */
const MAX_PERIOD_MS = 8.64e15;

const engine = z.strictObject({
  pageSize: positive().optional().describe("Events read from the store at a time"),
  pageBytes: positive().optional().describe("Bytes read from the store at a time, about"),
  historyBytes: positive().optional().describe("Bytes in one page of history, about"),
  tailBytes: whole(0).optional().describe(
    "Bytes of recent events kept per task with readers",
  ),
  wakesPerTurn: positive().optional()
    .describe("Readers of a task that are woken before others are heard; more wait up to 1 ms"),
  heartbeatMs: timer().optional().describe("Milliseconds between signs of life on streams"),
  pollMs: timer().optional().describe("Milliseconds between looks that cover lost wake-ups"),
  storeRetryMs: timer().optional()
    .describe("Milliseconds until a stream asks again when the store is away"),
  sweepMs: whole(0, MAX_PERIOD_MS).optional()
    .describe("Milliseconds between looks for work that another instance left; 0: none"),
  sweepLimit: positive().optional().describe("Due tasks settled at a time"),
  archiveDelayMs: whole(0, MAX_PERIOD_MS).optional().describe(
    "Milliseconds until the archive gets a commit",
  ),
  archiveBatch: positive().optional().describe("Events written to the archive at a time"),
  archivePercent: whole(10, 100).optional()
    .describe(
      "Percent of the time that archiving works while events are published; 100: no rests",
    ),
  hotRetentionMs: whole(0, MAX_PERIOD_MS).optional()
    .describe("Milliseconds that an ended task stays in the short-term store"),
  cleanupSearchMs: whole(1, MAX_PERIOD_MS).optional()
    .describe("Milliseconds between looks through all ended tasks for clean-up rules"),
});

const HOOKS = [
  "onTaskCreated",
  "onTaskTransitioned",
  "onTaskFailed",
  "onTaskTimeout",
  "onWebhookFailed",
  "onUnhandledError",
] as const;

agree<Same<keyof TaskcastHooks, (typeof HOOKS)[number]>>();

const hooks = code<TaskcastHooks>(
  `an object of functions: ${HOOKS.join(", ")}`,
  (value) =>
    typeof value === "object" && value !== null &&
    Object.entries(value).every(([name, hook]) =>
      (HOOKS as readonly string[]).includes(name) &&
      (hook === undefined || typeof hook === "function")
    ),
);

const config = z.strictObject({
  port: whole(0, MAX_PORT).optional().describe("Port to listen on; 0 is any that is free"),
  host: text().optional().describe(
    "Address to listen on; by default 127.0.0.1 and ::1 without authentication, else 0.0.0.0",
  ),
  allowHosts: z.union([text(), names()]).optional().describe(
    "More names of a server on loopback without authentication: a list, or a text with commas between",
  ),
  listener: z.enum(LISTENERS).optional().describe(
    "The HTTP server on Deno: its own, which is the default, or that of Node",
  ),
  logLevel: z.enum(LEVELS).optional().describe("The least important messages that are logged"),
  logFormat: z.enum(LOG_FORMATS).optional().describe(
    "For people, or a JSON object a line; where nothing is said, what suits who reads it",
  ),
  trustProxy: whole(0, MAX_HOPS).optional().describe(
    "Proxies of yours before the server, which add to `X-Forwarded-For`; the variable may be `false`",
  ),
  ignoredParameters: names().optional().describe(
    "Query parameters that a proxy or a gateway adds, which are not refused; the variable is a comma list",
  ),
  auth: auth.optional().describe("Who may call"),
  trustedServices: z.record(text(), trustedService).optional().describe(
    "Services by name: their keys, alone for those that may do everything, or with `scope` and " +
      "`taskIds`",
  ),
  ticketSecret: secret(text()).optional().describe("Signs tickets; the same on all instances"),
  allowShortSecrets: z.boolean().optional().describe(
    "Takes secrets of HS256 and of tickets with fewer than 32 bytes, which can be guessed",
  ),
  adapters: adaptersSchema.optional().describe("Where tasks are kept"),
  sentry: sentry.optional().describe("Reports failures to Sentry"),
  webhook: webhook.optional().describe("For webhooks"),
  cleanup: z.strictObject({
    rules: z.array(cleanupRule).max(BOUNDS.cleanupRules).optional().describe("For all tasks"),
  }).optional().describe("Deletes what is old"),
  cors: cors.optional().describe("Pages of other origins"),
  limits: limits.optional().describe("Bounds of what is taken"),
  engine: engine.optional().describe("Sizes and times of streams and sweeps"),
  hooks: hooks.optional().describe("Functions called after what they are about is stored"),
});

agree<Same<z.output<typeof config>, TaskcastConfig>>();

/** The configuration. */
export const configSchema: z.ZodType<TaskcastConfig, TaskcastConfig> = config;
