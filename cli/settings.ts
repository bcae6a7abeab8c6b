import { MAX_PORT, oneOf, wholeNumber } from "./setting_values.ts";
import { SettingsError } from "./settings_error.ts";
import type { StorageSettings } from "./storage_settings.ts";
import { storageOf } from "./storage_settings.ts";

/** Where settings come from, besides the command line. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The levels of the log, from the most to the least talkative. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

/** A level of the log. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The signatures that tokens can have. */
export const JWT_ALGORITHMS = ["HS256", "RS256", "ES256", "ES384", "ES512", "EdDSA"] as const;

/** What `taskcast start` can be told. */
export interface StartSettings {
  /** Port to listen on; 0 is any that is free. */
  port: number;
  /** Address to listen on. */
  host: string;
  /** The least important messages that are logged. */
  logLevel: LogLevel;
  /** Where tasks are kept. */
  storage: StorageSettings;
  /** Who may call. */
  auth:
    | { mode: "none" }
    | { mode: "jwt"; algorithm: (typeof JWT_ALGORITHMS)[number]; secret: string };
  /** Origins whose pages may call; `*` is all, left out is none. */
  cors?: string;
}

/** What the command line says. */
export interface StartFlags {
  port?: number;
  host?: string;
  logLevel?: string;
  maxMemory?: number;
  storage?: string;
  sqlitePath?: string;
  redisUrl?: string;
  postgresUrl?: string;
  autoMigrate?: boolean;
  cors?: string | true;
}

/**
 * Puts the settings together: command line before environment before default.
 *
 * @throws {SettingsError} For the first setting that is wrong.
 */
export function startSettings(flags: StartFlags, env: Environment): StartSettings {
  const given = (name: string) =>
    env[name] === undefined || env[name] === "" ? undefined : env[name];
  const port = flags.port ??
    wholeNumber(given("TASKCAST_PORT") ?? "3721", "TASKCAST_PORT", 0, MAX_PORT);
  const host = flags.host ?? given("TASKCAST_HOST") ?? "0.0.0.0";
  const logLevel = oneOf(
    flags.logLevel ?? given("TASKCAST_LOG_LEVEL") ?? "info",
    flags.logLevel === undefined ? "TASKCAST_LOG_LEVEL" : "--log-level",
    LOG_LEVELS,
  );
  const storage = storageOf(flags, given);
  const cors = flags.cors === true ? "*" : flags.cors ?? given("TASKCAST_CORS");
  return { port, host, logLevel, storage, cors, auth: authOf(given) };
}

function authOf(given: (name: string) => string | undefined): StartSettings["auth"] {
  const mode = oneOf(given("TASKCAST_AUTH_MODE") ?? "none", "TASKCAST_AUTH_MODE", [
    "none",
    "jwt",
    "custom",
  ]);
  const secret = given("TASKCAST_JWT_SECRET");
  if (mode === "none") {
    // Whoever sets a secret wants it to be asked for; running open would be the worst answer.
    if (secret !== undefined) {
      throw new SettingsError("TASKCAST_JWT_SECRET needs TASKCAST_AUTH_MODE=jwt");
    }
    return { mode };
  }
  if (mode === "custom") {
    throw new SettingsError(
      "TASKCAST_AUTH_MODE=custom needs a function: embed the server and give it createTaskcastApp()",
    );
  }
  const algorithm = oneOf(
    given("TASKCAST_JWT_ALGORITHM") ?? "HS256",
    "TASKCAST_JWT_ALGORITHM",
    JWT_ALGORITHMS,
  );
  if (algorithm !== "HS256") {
    throw new SettingsError(
      `TASKCAST_JWT_ALGORITHM=${algorithm} needs a public key, which this version takes only when ` +
        "embedded: createTaskcastApp({ auth: { mode, jwt: { algorithm, publicKey } } })",
    );
  }
  if (secret === undefined) {
    throw new SettingsError("TASKCAST_AUTH_MODE=jwt needs TASKCAST_JWT_SECRET");
  }
  return { mode, algorithm, secret };
}
