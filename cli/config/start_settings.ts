import { dirname } from "node:path";
import type { EngineOptions, TaskcastConfig, TaskcastHooks } from "@taskcast/core";
import type {
  CleanupConfig,
  LimitsConfig,
  SentryConfig,
  WebhookConfig,
} from "@taskcast/core/config";
import type { Level, Limits } from "@taskcast/core/protocol";
import { DEFAULT_LIMITS, LEVELS } from "@taskcast/core/protocol";
import type { AuthOptions, CorsOptions } from "@taskcast/server";
import type { ConnectionLimits } from "../listen/connections/limits.ts";
import { connectionLimits } from "../listen/connections/limits.ts";
import { DEFAULTS } from "./defaults.ts";
import type { Effective } from "./effective.ts";
import { effectiveConfig } from "./effective.ts";
import type { Environment, StartFlags } from "./layers.ts";
import { allowedHosts, hostOf, isLoopbackOnly } from "./host_of.ts";
import { originsOf } from "./origins_of.ts";
import type { LimitSettings } from "./limit_settings.ts";
import { limitSettings } from "./limit_settings.ts";
import type { Listener } from "../listen/contract.ts";
import type { LogFormat } from "../log/log_format.ts";
import type { StorageSettings } from "./storage_settings.ts";
import { storageOf } from "./storage_settings.ts";

/** The levels of the log, from the most to the least talkative. */
export const LOG_LEVELS: readonly LogLevel[] = LEVELS;

/** A level of the log. */
export type LogLevel = Level;

/** Which pages may call, as the configuration can say it. */
export type NamedOrigins = Omit<CorsOptions, "origin"> & { origin: "*" | string[] };

/** What `taskcast start` can be told. */
export interface StartSettings {
  /** Port to listen on; 0 is any that is free. */
  port: number;
  /** Address to listen on; left out is loopback, 127.0.0.1 and ::1. */
  host?: string;
  /** Names that lead here, of which pages may call; left out: whose pages is not asked. */
  loopbackNames?: readonly string[];
  /** With which server of HTTP; left out is that of the runtime. */
  listener?: Listener;
  /** The least important messages that are logged. */
  logLevel: LogLevel;
  /** How they are written; left out is what suits who reads them. */
  logFormat?: LogFormat;
  /** Where tasks are kept. */
  storage: StorageSettings;
  /** Where packages of the user are looked for: the configuration's folder, and the working folder. */
  packageFolders: readonly string[];
  /** Who may call. */
  auth: AuthOptions;
  /** Takes secrets that can be guessed. */
  allowShortSecrets?: boolean;
  /** How much callers may ask for. */
  requestLimits: LimitSettings;
  /** Services that are known by keys. */
  trustedServices?: TaskcastConfig["trustedServices"];
  /** Signs tickets. */
  ticketSecret?: string;
  /** Query parameters of others, which are not refused. */
  ignoredParameters?: string[];
  /** Origins whose pages may call; left out is none. */
  cors?: NamedOrigins;
  /** Bytes of a body at most. */
  maxBodyBytes?: number;
  /** Milliseconds without a byte of a body at most. */
  bodyTimeoutMs?: number;
  /** Bounds of what clients hold open. */
  connections: ConnectionLimits;
  /** Bounds of what producers may send. */
  limits: Partial<Limits>;
  /** Sizes and times of the engine. */
  engine: Partial<EngineOptions>;
  /** What is reported to Sentry; without a DSN nothing. */
  sentry?: SentryConfig;
  /** What is deleted of tasks that have ended. */
  cleanup: CleanupConfig;
  /** How webhooks are told. */
  webhook: WebhookConfig;
  /** The configuration's own hooks. */
  hooks?: TaskcastHooks;
  /** What is to be told before the start. */
  notes: { level: "info" | "warn"; text: string }[];
}

/**
 * Puts the settings together: command line before environment before file before default.
 *
 * @param folder The working folder.
 * @throws {SettingsError} For everything that is wrong, a line each.
 */
export async function startSettings(
  flags: StartFlags,
  env: Environment,
  folder: string,
): Promise<StartSettings> {
  return settingsOf(await effectiveConfig(flags, env, folder), folder);
}

/**
 * The settings of a configuration that holds.
 *
 * @param folder The working folder.
 */
export function settingsOf(
  { config, file, auth, warnings }: Effective,
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

/** A program's `undefined` is nothing said, and must not take the place of a default. */
function defined<T extends object>(options: T): T {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as T;
}

/** What of the limits is the engine's; the others are the server's. */
function engineLimitsOf(limits: LimitsConfig): Partial<Limits> {
  const names = Object.keys(DEFAULT_LIMITS) as (keyof Limits)[];
  return defined(Object.fromEntries(names.map((name) => [name, limits[name]])));
}

function corsOf(cors: TaskcastConfig["cors"]): NamedOrigins | undefined {
  if (cors?.origin === undefined) return undefined;
  const { origin, ...rest } = cors;
  return { ...rest, origin: originsOf(origin) };
}
