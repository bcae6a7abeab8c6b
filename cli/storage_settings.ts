import type { AdapterSettings } from "./adapters.ts";
import type { StartFlags } from "./settings.ts";
import { MAX_MEMORY_MIB, wholeNumber } from "./setting_values.ts";
import { SettingsError } from "./settings_error.ts";

/** Where tasks are kept. */
export interface StorageSettings {
  /** What plays each part. */
  adapters: AdapterSettings;
  /** As it is told at the start. */
  description: string;
  /** Nobody else uses it, so nobody leaves work in it. */
  isPrivate: boolean;
}

/**
 * Chooses the storage: what is named; else what an address or a path is given for; else memory.
 *
 * Whoever gives an address wants it to be used: one that would be left out is an error.
 */
export function storageOf(
  flags: StartFlags,
  given: (name: string) => string | undefined,
): StorageSettings {
  const path = flags.sqlitePath ?? given("TASKCAST_SQLITE_PATH");
  const redisUrl = flags.redisUrl ?? given("TASKCAST_REDIS_URL");
  const postgresUrl = flags.postgresUrl ?? given("TASKCAST_POSTGRES_URL");
  const named = flags.storage ?? given("TASKCAST_STORAGE");
  const kind = named ??
    (path !== undefined ? "sqlite" : redisUrl !== undefined ? "redis" : "memory");
  const maxMemoryMiB = flags.maxMemory ??
    wholeNumber(given("TASKCAST_MAX_MEMORY") ?? "512", "TASKCAST_MAX_MEMORY", 1, MAX_MEMORY_MIB);
  const autoMigrate = flags.autoMigrate === false ? false : flagOf(given, "TASKCAST_AUTO_MIGRATE");

  if (path !== undefined && kind !== "sqlite") {
    throw new SettingsError("A SQLite path needs --storage sqlite or TASKCAST_STORAGE=sqlite");
  }
  if (redisUrl !== undefined && kind !== "redis") {
    throw new SettingsError(
      `A Redis address needs --storage redis or TASKCAST_STORAGE=redis, and the storage is "${kind}"`,
    );
  }
  const postgres = postgresUrl === undefined
    ? undefined
    : { provider: "postgres", url: postgresUrl, ...(autoMigrate === false && { autoMigrate }) };
  if (autoMigrate === false && postgres === undefined) {
    throw new SettingsError("--no-auto-migrate needs --postgres-url or TASKCAST_POSTGRES_URL");
  }

  if (kind === "postgres") {
    if (postgres === undefined) {
      throw new SettingsError(
        "--storage postgres needs --postgres-url or TASKCAST_POSTGRES_URL",
      );
    }
    return shared({ broadcast: postgres, shortTerm: postgres }, "postgres");
  }
  const archive = postgres && { longTerm: postgres };
  const suffix = archive === undefined ? "" : ", archive: postgres";
  switch (kind) {
    case "memory": {
      const memory = { provider: "memory", maxBytes: maxMemoryMiB * 1024 * 1024 };
      return {
        adapters: { broadcast: memory, shortTerm: memory, ...archive },
        description: `memory${suffix}`,
        isPrivate: archive === undefined,
      };
    }
    case "sqlite": {
      const sqlite = { provider: "sqlite", path: path ?? "taskcast.db" };
      const adapters = { broadcast: sqlite, shortTerm: sqlite, ...archive };
      return shared(adapters, `sqlite ${sqlite.path}${suffix}`);
    }
    case "redis": {
      if (redisUrl === undefined) {
        throw new SettingsError("--storage redis needs --redis-url or TASKCAST_REDIS_URL");
      }
      const redis = { provider: "redis", url: redisUrl };
      return shared({ broadcast: redis, shortTerm: redis, ...archive }, `redis${suffix}`);
    }
    default: {
      const custom = { provider: kind };
      return shared({ broadcast: custom, shortTerm: custom, ...archive }, `${kind}${suffix}`);
    }
  }
}

function shared(adapters: AdapterSettings, description: string): StorageSettings {
  return { adapters, description, isPrivate: false };
}

function flagOf(given: (name: string) => string | undefined, name: string): boolean | undefined {
  const text = given(name);
  if (text === undefined) return undefined;
  if (text === "true" || text === "false") return text === "true";
  throw new SettingsError(`${name} must be true or false, and is "${text}"`);
}
