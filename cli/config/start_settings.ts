import { dirname } from "node:path";
import type { EngineOptions, TaskcastHooks } from "@taskcast/core";
import type {
  CleanupConfig,
  LimitsConfig,
  SentryConfig,
  TaskcastConfig,
  WebhookConfig,
} from "@taskcast/core/config";
import type { Level, Limits } from "@taskcast/core/protocol";
import { DEFAULT_LIMITS } from "@taskcast/core/protocol";
import type { AuthOptions, CorsOptions } from "@taskcast/server";
import type { ConnectionLimits } from "../listen/connections/limits.ts";
import { connectionLimits } from "../listen/connections/limits.ts";
import type { Listener } from "../listen/contract.ts";
import type { LogFormat } from "../log/logger.ts";
import type { EffectiveConfig } from "./effective.ts";
import { effectiveConfig } from "./effective.ts";
import { allowedHosts, hostOf, isLoopbackOnly, originsOf } from "./hosts_and_origins.ts";
import type { Environment, StartFlags } from "./layers.ts";
import type { LimitSettings } from "./limit_settings.ts";
import { limitSettings } from "./limit_settings.ts";
import { DEFAULTS } from "./schema/keys.ts";
import type { StorageSettings } from "./storage_settings.ts";
import { storageOf } from "./storage_settings.ts";

/** Origins whose pages may call, as a configuration can name them. */
export type NamedOrigins = Omit<CorsOptions, "origin"> & { origin: "*" | string[] };

/** Settings of `taskcast start`. */
export interface StartSettings {
  /** Port to listen on; 0 picks a free one. */
  port: number;
  /** Address to listen on. @default loopback, 127.0.0.1 and ::1 */
  host?: string;
  /** Host names of a server on loopback; `undefined`: requests are not checked for them. */
  loopbackNames?: readonly string[];
  /** HTTP server. @default that of the runtime */
  listener?: Listener;
  /** Least important level that is logged. */
  logLevel: Level;
  /** Log format. @default pretty at a terminal, else json */
  logFormat?: LogFormat;
  /** Stores of tasks. */
  storage: StorageSettings;
  /** Folders in which the user's packages are searched: that of the configuration, the working folder. */
  packageFolders: readonly string[];
  /** Authentication. */
  auth: AuthOptions;
  /** Accepts secrets that can be guessed. */
  allowShortSecrets?: boolean;
  /** Limits on requests and streams. */
  requestLimits: LimitSettings;
  /** Services that authenticate with a key. */
  trustedServices?: TaskcastConfig["trustedServices"];
  /** Secret that signs tickets. */
  ticketSecret?: string;
  /** Query parameters that are ignored instead of refused. */
  ignoredParameters?: string[];
  /** Origins whose pages may call. @default none */
  cors?: NamedOrigins;
  /** Maximum bytes of a request body. */
  maxBodyBytes?: number;
  /** Milliseconds that a request body may pause. */
  bodyTimeoutMs?: number;
  /** Limits on open connections. */
  connections: ConnectionLimits;
  /** Limits on what producers send. */
  limits: Partial<Limits>;
  /** Tuning of the engine. */
  engine: Partial<EngineOptions>;
  /** Reports to Sentry; `undefined` without a DSN. */
  sentry?: SentryConfig;
  /** Clean-up rules. */
  cleanup: CleanupConfig;
  /** Webhook settings. */
  webhook: WebhookConfig;
  /** Hooks of the configuration. */
  hooks?: TaskcastHooks;
  /** Notes that are logged at the start. */
  notes: { level: "info" | "warn"; text: string }[];
}

/**
 * Returns the settings from the command line, the environment, the file and the defaults, in this
 * order of precedence.
 *
 * @param folder The working folder.
 * @throws {SettingsError} With all problems, one line each.
 */
export async function startSettings(
  flags: StartFlags,
  env: Environment,
  folder: string,
): Promise<StartSettings> {
  return settingsOf(await effectiveConfig(flags, env, folder), folder);
}

/**
 * Returns the settings of an effective configuration.
 *
 * @param folder The working folder.
 */
export function settingsOf(
  { config, file, auth, warnings }: EffectiveConfig,
  folder: string,
): StartSettings {
  const notes: StartSettings["notes"] = warnings.map((text) => ({ level: "warn", text }));
  const info = (text: string) => notes.push({ level: "info", text });
  if (file !== undefined) info(`configuration: ${file.name}`);
  for (const other of file?.others ?? []) {
    info(`${other} is not read, since ${file!.name} is there`);
  }
  if (config.sentry !== undefined && !config.sentry.dsn) info("Sentry is off: it has no DSN");

  return {
    port: config.port ?? DEFAULTS.port,
    host: hostOf(config),
    loopbackNames: isLoopbackOnly(config) ? allowedHosts(config) : undefined,
    listener: config.listener,
    logLevel: config.logLevel ?? DEFAULTS.logLevel,
    logFormat: config.logFormat,
    storage: storageOf(config.adapters ?? {}),
    packageFolders: [...file === undefined ? [] : [dirname(file.path)], folder],
    auth,
    allowShortSecrets: config.allowShortSecrets,
    requestLimits: limitSettings(config),
    trustedServices: config.trustedServices,
    ticketSecret: config.ticketSecret,
    ignoredParameters: config.ignoredParameters,
    cors: corsOf(config.cors),
    maxBodyBytes: config.limits?.maxBodyBytes,
    bodyTimeoutMs: config.limits?.bodyTimeoutMs,
    connections: connectionLimits(config),
    limits: engineLimitsOf(config.limits ?? {}),
    engine: defined(config.engine ?? {}),
    sentry: config.sentry?.dsn ? config.sentry : undefined,
    cleanup: defined(config.cleanup ?? {}),
    webhook: defined(config.webhook ?? {}),
    hooks: config.hooks,
    notes,
  };
}

/** Returns a copy without undefined members, which must not take the place of defaults. */
function defined<T extends object>(options: T): T {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as T;
}

/** Returns the engine's part of the limits; the others are the server's. */
function engineLimitsOf(limits: LimitsConfig): Partial<Limits> {
  const names = Object.keys(DEFAULT_LIMITS) as (keyof Limits)[];
  return defined(Object.fromEntries(names.map((name) => [name, limits[name]])));
}

function corsOf(cors: TaskcastConfig["cors"]): NamedOrigins | undefined {
  if (cors?.origin === undefined) return undefined;
  const { origin, ...rest } = cors;
  return { ...rest, origin: originsOf(origin) };
}
