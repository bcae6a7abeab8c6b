import { JWT_ALGORITHMS } from "@taskcast/core/internal";
import { LEVELS } from "@taskcast/core/protocol";
import { LISTENERS } from "../listen/contract.ts";
import { LOG_FORMATS } from "../log/log_format.ts";
import type { Environment, Source, StartFlags } from "./layers.ts";
import { isOfPlatform } from "./platform_variables.ts";
import {
  MAX_HOPS,
  MAX_MEMORY_MIB,
  MAX_PORT,
  MAX_RATE,
  MAX_STREAMS,
  oneOf,
  wholeNumber,
} from "./setting_values.ts";
import { SettingsError } from "./settings_error.ts";

/** A setting that the environment, and perhaps the command line, can give. */
export interface Setting {
  /** The key it stands for; `adapters.*.url` is that of every adapter of its provider. */
  path: string;
  /** For adapters: of which provider. */
  provider?: "memory" | "sqlite" | "redis" | "postgres";
  /** The variable. */
  env: string;
  /** The option of the command line, and what the parser calls it. */
  flag?: { name: string; key: keyof StartFlags };
  /** Keys that say the same in another way: of the file they give way. */
  insteadOf?: readonly string[];
  /** Reads the variable. */
  parse(text: string, name: string): unknown;
}

const asText = (text: string) => text;

const asList = (text: string) => text.split(",").map((item) => item.trim()).filter(Boolean);

/** Ways to give the key of tokens. */
const KEYS = [
  "auth.jwt.secret",
  "auth.jwt.publicKey",
  "auth.jwt.publicKeyFile",
  "auth.jwt.jwksUrl",
];

/** Every setting of the environment and the command line. */
export const SETTINGS: readonly Setting[] = [
  {
    path: "port",
    env: "TASKCAST_PORT",
    flag: { name: "--port", key: "port" },
    parse: (text, name) => wholeNumber(text, name, 0, MAX_PORT),
  },
  {
    path: "host",
    env: "TASKCAST_HOST",
    flag: { name: "--host", key: "host" },
    parse: asText,
  },
  {
    path: "allowHosts",
    env: "TASKCAST_ALLOW_HOSTS",
    flag: { name: "--allow-host", key: "allowHost" },
    parse: asText,
  },
  {
    path: "listener",
    env: "TASKCAST_LISTENER",
    flag: { name: "--listener", key: "listener" },
    parse: (text, name) => oneOf(text, name, LISTENERS),
  },
  {
    path: "logLevel",
    env: "TASKCAST_LOG_LEVEL",
    flag: { name: "--log-level", key: "logLevel" },
    parse: (text, name) => oneOf(text, name, LEVELS),
  },
  {
    path: "logFormat",
    env: "TASKCAST_LOG_FORMAT",
    flag: { name: "--log-format", key: "logFormat" },
    parse: (text, name) => oneOf(text, name, LOG_FORMATS),
  },
  {
    path: "trustProxy",
    env: "TASKCAST_TRUST_PROXY",
    parse: (text, name) => text === "false" ? 0 : wholeNumber(text, name, 0, MAX_HOPS),
  },
  { path: "ignoredParameters", env: "TASKCAST_IGNORED_PARAMETERS", parse: asList },
  {
    path: "allowShortSecrets",
    env: "TASKCAST_ALLOW_SHORT_SECRETS",
    flag: { name: "--allow-short-secrets", key: "allowShortSecrets" },
    parse: trueOrFalse,
  },
  {
    path: "auth.mode",
    env: "TASKCAST_AUTH_MODE",
    parse: (text, name) => oneOf(text, name, ["none", "jwt", "custom"]),
  },
  {
    path: "auth.jwt.algorithm",
    env: "TASKCAST_JWT_ALGORITHM",
    parse: (text, name) => oneOf(text, name, JWT_ALGORITHMS),
  },
  { path: "auth.jwt.secret", env: "TASKCAST_JWT_SECRET", insteadOf: KEYS, parse: asText },
  {
    path: "auth.jwt.publicKeyFile",
    env: "TASKCAST_JWT_PUBLIC_KEY_FILE",
    insteadOf: KEYS,
    parse: asText,
  },
  { path: "auth.jwt.issuer", env: "TASKCAST_JWT_ISSUER", parse: asText },
  { path: "auth.jwt.claims.scope", env: "TASKCAST_JWT_SCOPE_CLAIM", parse: asText },
  { path: "auth.jwt.claims.taskIds", env: "TASKCAST_JWT_TASK_IDS_CLAIM", parse: asText },
  { path: "auth.jwt.claims.prefix", env: "TASKCAST_JWT_SCOPE_PREFIX", parse: asText },
  { path: "auth.jwt.audience", env: "TASKCAST_JWT_AUDIENCE", parse: asText },
  {
    path: "adapters.*.provider",
    env: "TASKCAST_STORAGE",
    flag: { name: "--storage", key: "storage" },
    parse: asText,
  },
  {
    path: "adapters.*.path",
    provider: "sqlite",
    env: "TASKCAST_SQLITE_PATH",
    flag: { name: "--sqlite-path", key: "sqlitePath" },
    parse: asText,
  },
  {
    path: "adapters.*.url",
    provider: "redis",
    env: "TASKCAST_REDIS_URL",
    flag: { name: "--redis-url", key: "redisUrl" },
    parse: asText,
  },
  {
    path: "adapters.*.url",
    provider: "postgres",
    env: "TASKCAST_POSTGRES_URL",
    flag: { name: "--postgres-url", key: "postgresUrl" },
    parse: asText,
  },
  {
    path: "adapters.*.listenUrl",
    provider: "postgres",
    env: "TASKCAST_POSTGRES_LISTEN_URL",
    flag: { name: "--postgres-listen-url", key: "postgresListenUrl" },
    parse: asText,
  },
  {
    path: "adapters.*.autoMigrate",
    provider: "postgres",
    env: "TASKCAST_AUTO_MIGRATE",
    flag: { name: "--no-auto-migrate", key: "autoMigrate" },
    parse: trueOrFalse,
  },
  {
    path: "adapters.*.maxBytes",
    provider: "memory",
    env: "TASKCAST_MAX_MEMORY",
    flag: { name: "--max-memory", key: "maxMemory" },
    parse: (text, name) => wholeNumber(text, name, 1, MAX_MEMORY_MIB),
  },
  {
    path: "cors.origin",
    env: "TASKCAST_CORS",
    flag: { name: "--cors", key: "cors" },
    parse: asText,
  },
  {
    path: "limits.rateLimit.requestsPerSecond",
    env: "TASKCAST_RATE_LIMIT",
    parse: upTo(MAX_RATE),
  },
  { path: "limits.rateLimit.burst", env: "TASKCAST_RATE_BURST", parse: upTo(MAX_RATE) },
  { path: "limits.maxStreams", env: "TASKCAST_MAX_STREAMS", parse: upTo(MAX_STREAMS) },
  {
    path: "limits.maxStreamsPerCredential",
    env: "TASKCAST_MAX_STREAMS_PER_CREDENTIAL",
    parse: upTo(MAX_STREAMS),
  },
  { path: "limits.maxConnections", env: "TASKCAST_MAX_CONNECTIONS", parse: upTo(MAX_STREAMS) },
  {
    path: "limits.maxConnectionsPerAddress",
    env: "TASKCAST_MAX_CONNECTIONS_PER_ADDRESS",
    parse: upTo(MAX_STREAMS),
  },
  { path: "sentry.dsn", env: "SENTRY_DSN", parse: asText },
];

function upTo(max: number): Setting["parse"] {
  return (text, name) => wholeNumber(text, name, 1, max);
}

function trueOrFalse(text: string, name: string): boolean {
  if (text === "true" || text === "false") return text === "true";
  throw new SettingsError(`${name} must be true or false, and is "${text}"`);
}

/** What was given for a setting, and by what. */
export interface Given {
  value: unknown;
  source: Source;
}

/**
 * What the command line, or else the environment, says about a setting. An empty variable is none.
 *
 * @throws {SettingsError} If the variable says something else than it may.
 */
export function given(setting: Setting, flags: StartFlags, env: Environment): Given | undefined {
  const { flag, parse } = setting;
  const said = flag && flags[flag.key];
  // The parser has read it. `--no-auto-migrate` is the only one that is there when it is not given.
  if (said !== undefined && !(flag!.key === "autoMigrate" && said === true)) {
    const value = flag!.key === "cors" && said === true ? "*" : said;
    return { value, source: { from: "flag", name: flag!.name } };
  }
  const text = env[setting.env];
  if (text === undefined || text === "" || isOfPlatform(setting.env, text)) return undefined;
  return { value: parse(text, setting.env), source: { from: "env", name: setting.env } };
}
