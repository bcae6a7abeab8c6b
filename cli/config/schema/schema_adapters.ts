import type { Adapters } from "@taskcast/core/adapter";
import type {
  AdapterConfig,
  AdaptersConfig,
  DenoKvAdapterConfig,
  MemoryAdapterConfig,
  ModuleAdapterConfig,
  PostgresAdapterConfig,
  RedisAdapterConfig,
  SqliteAdapterConfig,
} from "@taskcast/core/config";
import { didYouMean } from "@taskcast/core/protocol";
import { z } from "zod";
import { agree, type Same } from "./same_type.ts";
import { code, wants } from "./annotations.ts";

import { positive, text, textOrNothing, whole } from "./values.ts";

const memory = z.strictObject({
  provider: z.literal("memory"),
  maxBytes: positive().optional()
    .describe(
      "Bytes for all tasks, beyond which those that ended longest ago are given up; the variable and " +
        "the option are in mebibytes",
    ),
});

const sqlite = z.strictObject({
  provider: z.literal("sqlite"),
  path: text().optional().describe("The file, relative to the configuration file"),
  synchronous: z.enum(["full", "normal"]).optional()
    .describe("`normal` survives the end of the process but not a loss of power"),
});

const redis = z.strictObject({
  provider: z.literal("redis"),
  url: textOrNothing().optional().describe(
    "`redis://`, or for several servers `redis-cluster://` or `redis-sentinel://`; `rediss…` for TLS",
  ),
  prefix: text().optional().describe("Before the name of every key and channel"),
  partitions: whole(1, 1024).optional()
    .describe("Parts of the key space; the same for as long as the data lives"),
  timeoutMs: positive().optional().describe("Milliseconds that an answer may take"),
  maxPending: positive().optional().describe("Requests that may wait for answers"),
  shardedPubSub: z.boolean().optional().describe("Wake-ups go to the shard of their task only"),
});

const postgres = z.strictObject({
  provider: z.literal("postgres"),
  url: textOrNothing().optional().describe("`postgres://user:password@host:port/database`"),
  listenUrl: textOrNothing().optional()
    .describe("Where wake-ups are listened to: the same database without a pooler of transactions"),
  autoMigrate: z.boolean().optional()
    .describe("Brings the tables up to date at the start; `false` refuses old tables"),
  maxConnections: positive().optional().describe("Connections at most"),
  timeoutMs: positive().optional().describe("Milliseconds that an answer may take"),
  maxPending: positive().optional().describe("Requests that may wait for answers"),
  preparedStatements: z.boolean().optional()
    .describe("Prepares statements under names, which not every pooler supports"),
});

const denoKv = z.strictObject({
  provider: z.literal("deno-kv"),
  path: text().optional()
    .describe(
      "The file, relative to the configuration file, or the address of a database; left out: where " +
        "Deno keeps it",
    ),
  timeoutMs: positive().optional().describe("Milliseconds that an answer may take"),
  maxPending: positive().optional().describe("Changes that may wait for the database"),
});

const OURS = ["memory", "sqlite", "redis", "postgres", "deno-kv"];
const NOT_OURS = new RegExp(`^(?!(?:${OURS.join("|")})$).`);

/** Whether a bare word is a name of ours with a letter wrong: `rediss`, and not `my-redis`. */
function isMisspelt(name: string): boolean {
  const meant = didYouMean(name, OURS);
  return meant !== undefined && Math.abs(meant.length - name.length) <= 1;
}

/** A path or a package. */
const module = z.looseObject({
  provider: wants(
    z.string().regex(NOT_OURS).refine((name) => /[./:]/.test(name) || !isMisspelt(name)),
    'memory, sqlite, redis, postgres, deno-kv, or a module such as "./my_store.ts" or "npm:my-store"',
  ),
}) as unknown as z.ZodType<ModuleAdapterConfig, ModuleAdapterConfig>;

agree<Same<z.output<typeof memory>, MemoryAdapterConfig>>();
agree<Same<z.output<typeof sqlite>, SqliteAdapterConfig>>();
agree<Same<z.output<typeof redis>, RedisAdapterConfig>>();
agree<Same<z.output<typeof postgres>, PostgresAdapterConfig>>();
agree<Same<z.output<typeof denoKv>, DenoKvAdapterConfig>>();

/** An adapter that a program made; it is known by what it can do. */
function instance<Role extends keyof Adapters>(
  role: Role,
  ...methods: string[]
): z.ZodType<Adapters[Role], Adapters[Role]> {
  return code<Adapters[Role]>(`an adapter for ${role}`, (value) => {
    if (typeof value !== "object" || value === null) return false;
    return [...methods, "check", "close"].every((name) =>
      typeof (value as Record<string, unknown>)[name] === "function"
    );
  });
}

function adapter<Role extends keyof Adapters>(
  role: Role,
  ...methods: string[]
): z.ZodType<AdapterConfig<Role>, AdapterConfig<Role>> {
  const options = [memory, sqlite, redis, postgres, denoKv, module, instance(role, ...methods)];
  return wants(
    z.union(options as unknown as [z.ZodType<AdapterConfig<Role>, AdapterConfig<Role>>]),
    "an object { provider, … }, or in TypeScript and JavaScript an adapter",
  );
}

const adapters = z.strictObject({
  broadcast: adapter("broadcast", "publish", "subscribe").optional().describe("Wakes readers"),
  shortTerm: adapter("shortTerm", "commit").optional().describe("Holds tasks and logs"),
  longTerm: adapter("longTerm", "archive", "positions").optional().describe("Keeps them for good"),
});

agree<Same<z.output<typeof adapters>, AdaptersConfig>>();

/** What plays each part. */
export const adaptersSchema: z.ZodType<AdaptersConfig, AdaptersConfig> = adapters;
