import type { AdapterRole, Adapters } from "@taskcast/core/adapter";
import type { AdaptersConfig, ModuleAdapterConfig, ProviderConfig } from "@taskcast/core/config";
import { didYouMean } from "@taskcast/core/protocol";
import { z } from "zod";
import { code, expecting, key, named, typed } from "./describe.ts";
import { assertSameType, type Same } from "./same_type.ts";
import { positive, text, textOrNothing, whole } from "./values.ts";

/** The largest value of `--max-memory`. */
const MAX_MEMORY_MIB = 1024 * 1024;

const MEBIBYTE = 1024 ** 2;

const memory = named(
  z.strictObject({
    provider: z.literal("memory").describe("Name of the adapter"),
    maxBytes: key(
      positive(),
      "Bytes for all tasks; beyond it the tasks that ended longest ago are evicted",
      {
        default: 512 * MEBIBYTE,
        env: "TASKCAST_MAX_MEMORY",
        envNote: "the variable and the option are in mebibytes",
        flag: {
          usage: "--max-memory <MiB>",
          help:
            "memory for tasks, default 512; beyond it the tasks that ended longest ago are evicted",
        },
        unit: { size: MEBIBYTE, max: MAX_MEMORY_MIB },
      },
    ),
  }),
  "MemoryAdapterConfig",
  "The memory of this process; its tasks end with it.",
);

const sqlite = named(
  z.strictObject({
    provider: z.literal("sqlite").describe("Name of the adapter"),
    path: key(text(), "Database file, relative to the configuration file", {
      default: "taskcast.db",
      env: "TASKCAST_SQLITE_PATH",
      flag: {
        usage: "--sqlite-path <file>",
        help: "SQLite database file; selects SQLite if nothing else is selected",
      },
    }),
    synchronous: key(
      z.enum(["full", "normal"]),
      "`full` survives a power failure, `normal` only the end of the process",
      { default: "full" },
    ),
  }),
  "SqliteAdapterConfig",
  "A SQLite file.",
);

const redis = named(
  z.strictObject({
    provider: z.literal("redis").describe("Name of the adapter"),
    url: key(
      textOrNothing(),
      "`redis://` address; `redis-cluster://` or `redis-sentinel://` for several servers; `rediss…` " +
        "for TLS",
      {
        env: "TASKCAST_REDIS_URL",
        flag: {
          usage: "--redis-url <url>",
          help: "Redis for tasks and wake-ups; selects Redis if nothing else is selected",
        },
      },
    ),
    prefix: key(text(), "Prefix of all keys and channels", { default: "taskcast:" }),
    partitions: key(
      whole(1, 1024),
      "Number of partitions of the key space; must not change while there is data",
      { default: 32 },
    ),
    timeoutMs: key(positive(), "Milliseconds until an unanswered request fails", {
      default: 5_000,
    }),
    maxPending: key(positive(), "Requests that may wait for answers", { default: 10_000 }),
    shardedPubSub: key(z.boolean(), "Sends wake-ups only to the shard of their task", {
      default: false,
    }),
  }),
  "RedisAdapterConfig",
  "Redis 7, Valkey 8, or a cluster of these.",
);

const postgres = named(
  z.strictObject({
    provider: z.literal("postgres").describe("Name of the adapter"),
    url: key(textOrNothing(), "`postgres://user:password@host:port/database`", {
      env: "TASKCAST_POSTGRES_URL",
      flag: {
        usage: "--postgres-url <url>",
        help:
          "PostgreSQL as the archive behind any storage, or with --storage postgres for everything",
      },
    }),
    listenUrl: key(
      textOrNothing(),
      "Address for wake-ups: the same database without a pooler in transaction mode",
      {
        defaultText: "the same as `url`",
        env: "TASKCAST_POSTGRES_LISTEN_URL",
        flag: {
          usage: "--postgres-listen-url <url>",
          help: "address for wake-ups: the same database without a pooler in transaction mode",
        },
      },
    ),
    autoMigrate: key(
      z.boolean(),
      "Updates the tables at the start; `false` refuses to start with outdated tables",
      {
        default: true,
        env: "TASKCAST_AUTO_MIGRATE",
        flag: {
          usage: "--no-auto-migrate",
          help: "refuse to start while the tables in PostgreSQL are outdated",
        },
      },
    ),
    maxConnections: key(positive(), "Maximum number of connections", { default: 10 }),
    timeoutMs: key(positive(), "Milliseconds until an unanswered request fails", {
      default: 10_000,
    }),
    maxPending: key(positive(), "Requests that may wait for answers", { default: 10_000 }),
    preparedStatements: key(
      z.boolean(),
      "Uses named prepared statements, which not every pooler supports",
      { defaultText: "false behind a pooler that is detected" },
    ),
  }),
  "PostgresAdapterConfig",
  "PostgreSQL 13 or later.",
);

const denoKv = named(
  z.strictObject({
    provider: z.literal("deno-kv").describe("Name of the adapter"),
    path: key(
      text(),
      "Database file, relative to the configuration file; `:memory:`; or the address of a database",
      { defaultText: "Deno's own place" },
    ),
    timeoutMs: key(positive(), "Milliseconds until an unanswered request fails", {
      default: 10_000,
    }),
    maxPending: key(positive(), "Changes that may wait for the database", { default: 10_000 }),
  }),
  "DenoKvAdapterConfig",
  "Deno KV: a file, or the database of Deno Deploy.",
);

const NAMES = ["memory", "sqlite", "redis", "postgres", "deno-kv"];
const OTHER_NAME = new RegExp(`^(?!(?:${NAMES.join("|")})$).`);

/** Returns whether a bare word is a misspelt built-in name: `rediss`, but not `my-redis`. */
function isMisspelt(name: string): boolean {
  const meant = didYouMean(name, NAMES);
  return meant !== undefined && Math.abs(meant.length - name.length) <= 1;
}

const module = z.looseObject({
  provider: expecting(
    z.string().regex(OTHER_NAME).refine((name) => /[./:]/.test(name) || !isMisspelt(name)),
    'memory, sqlite, redis, postgres, deno-kv, or a module such as "./my_store.ts" or "npm:my-store"',
  ),
}) as unknown as z.ZodType<ModuleAdapterConfig, ModuleAdapterConfig>;

assertSameType<
  Same<
    | z.output<typeof memory>
    | z.output<typeof sqlite>
    | z.output<typeof redis>
    | z.output<typeof postgres>
    | z.output<typeof denoKv>
    | z.output<typeof module>,
    ProviderConfig
  >
>();

/** The built-in adapters, by name. */
export const builtIn: readonly z.ZodType[] = [memory, sqlite, redis, postgres, denoKv];

/** Returns the schema of an adapter: a provider, or an instance, which is recognized by its methods. */
function adapter<Role extends AdapterRole>(
  role: Role,
  ...methods: string[]
): z.ZodType<ProviderConfig | Adapters[Role], ProviderConfig | Adapters[Role]> {
  const instance = code<Adapters[Role]>(
    `Adapters["${role}"]`,
    `an adapter for ${role}`,
    (value) =>
      typeof value === "object" && value !== null &&
      [...methods, "check", "close"].every((name) =>
        typeof (value as Record<string, unknown>)[name] === "function"
      ),
  );
  const options = [...builtIn, module, instance] as unknown as [
    z.ZodType<ProviderConfig | Adapters[Role], ProviderConfig | Adapters[Role]>,
  ];
  return typed(
    expecting(
      z.union(options),
      "an object { provider, … }, or in TypeScript and JavaScript an adapter",
    ),
    `ProviderConfig | Adapters["${role}"]`,
  );
}

const adaptersSchema = named(
  z.strictObject({
    broadcast: key(adapter("broadcast", "publish", "subscribe"), "Adapter that wakes readers", {
      defaultText: "that of `shortTerm`",
    }),
    shortTerm: key(adapter("shortTerm", "commit"), "Store of tasks and their logs", {
      defaultText: "that of `broadcast`, else memory",
    }),
    longTerm: key(adapter("longTerm", "archive", "positions"), "Archive that keeps them for good", {
      defaultText: "none",
    }),
  }),
  "AdaptersConfig",
  "Stores of tasks.",
);

assertSameType<Same<z.output<typeof adaptersSchema>, AdaptersConfig>>();

/** Adapters by role. */
export const adapters: z.ZodType<AdaptersConfig, AdaptersConfig> = adaptersSchema;
