import type { TaskcastHooks } from "@taskcast/core";
import type { TaskcastConfig } from "@taskcast/core/config";
import { LEVELS } from "@taskcast/core/protocol";
import { z } from "zod";
import { LISTENERS } from "../../listen/contract.ts";
import { LOG_FORMATS } from "../../log/logger.ts";
import { code, key, named, secret } from "./describe.ts";
import type { Same } from "./same_type.ts";
import { assertSameType } from "./same_type.ts";
import { adapters } from "./schema_adapters.ts";
import { auth, trustedServices } from "./schema_auth.ts";
import { cleanup, webhook } from "./schema_jobs.ts";
import { engine, limits } from "./schema_limits.ts";
import { MAX_HOPS, MAX_PORT, text, textOrNothing, texts, whole } from "./values.ts";

// The one description of the configuration. A key that is added here is checked in files, read from
// its variable and its option, shown by `config check`, and told of in help; `deno task generate`
// writes it into the JSON Schema, the reference page and the type `TaskcastConfig`.

const sentry = named(
  z.strictObject({
    dsn: key(
      secret(textOrNothing()),
      "Address to report to: `https://<key>@<host>/<project>`; without it nothing is reported",
      { env: "SENTRY_DSN" },
    ),
    environment: key(text(), "Environment in reports, such as `staging`", {
      defaultText: "that of the SDK",
    }),
    release: key(text(), "Version in reports", { defaultText: "that of the SDK" }),
    captureTaskFailures: key(z.boolean(), "Reports tasks that became `failed`", { default: true }),
    captureTaskTimeouts: key(z.boolean(), "Reports tasks that became `timeout`", { default: true }),
    captureUnhandledErrors: key(z.boolean(), "Reports errors that no caller receives", {
      default: true,
    }),
    includePayloads: key(z.boolean(), "Adds params, results and errors of tasks to reports", {
      default: false,
    }),
  }),
  "SentryConfig",
  "Reports to Sentry.",
);

const cors = named(
  z.strictObject({
    origin: key(
      z.union([text(), texts()]),
      "Origins whose pages may call, as browsers write them: a list, a text with commas, or `*` for all",
      {
        env: "TASKCAST_CORS",
        flag: {
          usage: "--cors [origins]",
          help: "origins whose pages may call: a list with commas; without a value, all",
          bare: "*",
        },
      },
    ),
    credentials: key(z.boolean(), "Lets browsers send cookies; not with `*`", { default: false }),
    allowedHeaders: key(
      texts(),
      "Additional request headers that pages may send, such as those of the client's option `headers`",
    ),
    maxAgeSeconds: key(whole(0), "Seconds that a browser may cache a preflight answer", {
      default: 600,
    }),
  }),
  "CorsConfig",
  "Access for pages of other origins.",
);

const HOOKS = [
  "onTaskCreated",
  "onTaskTransitioned",
  "onTaskFailed",
  "onTaskTimeout",
  "onWebhookFailed",
  "onUnhandledError",
] as const;

assertSameType<Same<keyof TaskcastHooks, (typeof HOOKS)[number]>>();

const hooks = code<TaskcastHooks>(
  "TaskcastHooks",
  `an object of functions: ${HOOKS.join(", ")}`,
  (value) =>
    typeof value === "object" && value !== null &&
    Object.entries(value).every(([name, hook]) =>
      (HOOKS as readonly string[]).includes(name) &&
      (hook === undefined || typeof hook === "function")
    ),
);

const config = z.strictObject({
  port: key(whole(0, MAX_PORT), "Port to listen on; 0 picks a free one", {
    default: 3721,
    env: "TASKCAST_PORT",
    flag: { usage: "-p, --port <port>" },
  }),
  host: key(text(), "Address to listen on", {
    defaultText: "127.0.0.1 and ::1 without authentication, else 0.0.0.0",
    env: "TASKCAST_HOST",
    flag: { usage: "--host <address>" },
  }),
  allowHosts: key(
    z.union([text(), texts()]),
    "Additional host names under which a server on loopback without authentication may be called: " +
      "a list, or a text with commas",
    {
      env: "TASKCAST_ALLOW_HOSTS",
      flag: {
        usage: "--allow-host <name>",
        help: "additional host name of a server on loopback; may be repeated",
        isList: true,
      },
    },
  ),
  listener: key(
    z.enum(LISTENERS),
    "HTTP server on Deno: `deno` is its own, `node` is node:http, which needs a third of the memory " +
      "for each idle reader",
    {
      defaultText: "that of the runtime",
      env: "TASKCAST_LISTENER",
      flag: { usage: "--listener <server>", help: "HTTP server on Deno: its own, or node:http" },
    },
  ),
  logLevel: key(z.enum(LEVELS), "Least important level that is logged", {
    default: "info",
    env: "TASKCAST_LOG_LEVEL",
    flag: { usage: "--log-level <level>" },
  }),
  logFormat: key(z.enum(LOG_FORMATS), "Log format: for people, or one JSON object a line", {
    defaultText: "pretty at a terminal, else json",
    env: "TASKCAST_LOG_FORMAT",
    flag: { usage: "--log-format <format>" },
  }),
  trustProxy: key(
    whole(0, MAX_HOPS),
    "Number of your own proxies in front of the server that add to `X-Forwarded-For`; with 0 the " +
      "header is ignored",
    {
      default: 0,
      env: "TASKCAST_TRUST_PROXY",
      envNote: "the variable may also be `false`",
      parse: (text) => text === "false" ? 0 : undefined,
    },
  ),
  ignoredParameters: key(
    texts(),
    "Query parameters added by a proxy or a gateway, which are ignored instead of refused, as those " +
      "that begin with `_` are",
    { env: "TASKCAST_IGNORED_PARAMETERS", envNote: "the variable is a list with commas" },
  ),
  auth: key(auth, "Authentication of callers"),
  trustedServices: key(
    trustedServices,
    "Services that authenticate with a key, by name: the key alone for full access, or with `scope` " +
      "and `taskIds`",
  ),
  ticketSecret: key(secret(text()), "Secret that signs tickets; the same on all instances", {
    defaultText: "derived from the HS256 secret, else random",
  }),
  allowShortSecrets: key(
    z.boolean(),
    "Accepts secrets for HS256 and for tickets with fewer than 32 bytes, which can be guessed",
    {
      default: false,
      env: "TASKCAST_ALLOW_SHORT_SECRETS",
      flag: {
        usage: "--allow-short-secrets",
        help: "accept secrets with fewer than 32 bytes, which can be guessed",
      },
    },
  ),
  adapters: key(adapters, "Stores of tasks"),
  sentry: key(sentry, "Reports to Sentry"),
  webhook: key(webhook, "Webhook settings"),
  cleanup: key(cleanup, "Deletion of old tasks and events"),
  cors: key(cors, "Access for pages of other origins", { defaultText: "none" }),
  limits: key(limits, "Limits on input, streams and connections"),
  engine: key(engine, "Tuning of the engine: sizes and intervals"),
  hooks: key(hooks, "Functions that are called after a change is stored"),
});

assertSameType<Same<z.output<typeof config>, TaskcastConfig>>();

/** The schema of a whole configuration. */
export const configSchema: z.ZodType<TaskcastConfig, TaskcastConfig> = config;
