import { InvalidArgumentError } from "commander";

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
  storage: { kind: "memory" } | { kind: "sqlite"; path: string };
  /** Mebibytes that tasks may take in memory; beyond it old ended tasks are given up. */
  maxMemoryMiB: number;
  /** Who may call. */
  auth:
    | { mode: "none" }
    | { mode: "jwt"; algorithm: (typeof JWT_ALGORITHMS)[number]; secret: string };
  /** Origins whose pages may call; `*` is all, left out is none. */
  cors?: string;
}

/** A setting that is wrong; the message says which and why. */
export class SettingsError extends Error {}

/** What the command line says. */
export interface StartFlags {
  port?: number;
  host?: string;
  logLevel?: string;
  maxMemory?: number;
  storage?: string;
  sqlitePath?: string;
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
  const maxMemoryMiB = flags.maxMemory ??
    wholeNumber(given("TASKCAST_MAX_MEMORY") ?? "512", "TASKCAST_MAX_MEMORY", 1, MAX_MEMORY_MIB);
  const storage = storageOf(flags, given);
  const cors = flags.cors === true ? "*" : flags.cors ?? given("TASKCAST_CORS");
  return { port, host, logLevel, storage, maxMemoryMiB, cors, auth: authOf(given) };
}

/** The kinds of storage. */
export const STORAGES = ["memory", "sqlite"] as const;

function storageOf(
  flags: StartFlags,
  given: (name: string) => string | undefined,
): StartSettings["storage"] {
  const path = flags.sqlitePath ?? given("TASKCAST_SQLITE_PATH");
  const kind = oneOf(
    flags.storage ?? given("TASKCAST_STORAGE") ?? (path === undefined ? "memory" : "sqlite"),
    flags.storage === undefined ? "TASKCAST_STORAGE" : "--storage",
    STORAGES,
  );
  if (kind === "sqlite") return { kind, path: path ?? "taskcast.db" };
  // Whoever names a file wants it to be used; forgetting everything would be the worst answer.
  if (path !== undefined) {
    throw new SettingsError(`A SQLite path needs --storage sqlite or TASKCAST_STORAGE=sqlite`);
  }
  return { kind };
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

const MAX_PORT = 65_535;
const MAX_MEMORY_MIB = 1024 * 1024;

function wholeNumber(text: string, name: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^[0-9]{1,7}$/.test(text) || value < min || value > max) {
    throw new SettingsError(`${name} must be a number from ${min} to ${max}, and is "${text}"`);
  }
  return value;
}

/** Reads a number for the argument parser. */
function flagParser(name: string, min: number, max: number): (text: string) => number {
  return (text) => {
    try {
      return wholeNumber(text, name, min, max);
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message);
    }
  };
}

/** Reads `--port` for the argument parser. */
export const parsePort: (text: string) => number = flagParser("--port", 0, MAX_PORT);

/** Reads `--max-memory` for the argument parser. */
export const parseMaxMemory: (text: string) => number = flagParser(
  "--max-memory",
  1,
  MAX_MEMORY_MIB,
);

function oneOf<const Word extends string>(
  text: string,
  name: string,
  words: readonly Word[],
): Word {
  const word = words.find((word) => word === text);
  if (word !== undefined) return word;
  throw new SettingsError(`${name} must be one of ${words.join(", ")}, and is "${text}"`);
}
