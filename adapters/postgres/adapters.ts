import type { BroadcastProvider, LongTermStore, ShortTermStore } from "@taskcast/core/adapter";
import { parsePostgresAddress } from "./connection/address.ts";
import { PostgresBroadcast } from "./broadcast.ts";
import { connect } from "./connection/connect.ts";
import { Database } from "./connection/database.ts";
import { readEnvironment } from "./connection/environment.ts";
import { PostgresLongTermStore } from "./long_term_store.ts";
import { assertMigrated, migrate, PREFIXES } from "./schema.ts";
import { Pool } from "./connection/pool.ts";
import { assertRights } from "./rights.ts";
import { PostgresShortTermStore } from "./short_term_store.ts";

/** Options for the adapters on PostgreSQL. */
export interface PostgresAdapterOptions {
  /**
   * `postgres://user:password@host:port/database`, as hosting services provide it: with
   * `?sslmode=require` and parameters for other clients. Unknown parameters are refused.
   */
  url: string;
  /**
   * Brings the tables up to date at the start. With `false`, outdated tables are an error.
   *
   * @default {true}
   */
  autoMigrate?: boolean;
  /** Maximum number of connections. @default {10} */
  maxConnections?: number;
  /** Milliseconds that a reply may take before the request fails. @default {10000} */
  timeoutMs?: number;
  /**
   * Maximum number of requests waiting for replies; further requests are refused. @default {10000}
   */
  maxPending?: number;
  /**
   * Prepares statements under names. Use `false` for poolers that give each transaction another
   * connection, most of which are detected, and `true` for poolers that track such names.
   *
   * @default not where a pooler is noticed, or the address says `pgbouncer=true`
   */
  preparedStatements?: boolean;
}

/** Options for {@linkcode createPostgresAdapters}. */
export interface PostgresAdaptersOptions extends PostgresAdapterOptions {
  /**
   * Address to listen on for wake-ups: the same database without a transaction pooler, behind which
   * nothing is received. One connection is made there.
   *
   * @default url
   */
  listenUrl?: string;
}

/** The adapters of an engine on PostgreSQL alone. */
export interface PostgresAdapters {
  /** Wake-ups by LISTEN and NOTIFY. */
  broadcast: BroadcastProvider;
  /** Tasks and logs. */
  shortTerm: ShortTermStore;
}

/** Default of `maxConnections`. */
const MAX_CONNECTIONS = 10;

/** Default of `timeoutMs`. */
const TIMEOUT_MS = 10_000;

/** Milliseconds that a migration may take, including the wait for other processes that migrate. */
const MIGRATE_MS = 60_000;

/**
 * Opens the archive in PostgreSQL, and brings its tables up to date.
 *
 * @throws {Error} If PostgreSQL cannot be reached, or the tables have another version.
 *
 * @example
 * ```ts
 * import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
 * import { createPostgresAdapter } from "@taskcast/postgres";
 *
 * async function createEngine(): Promise<TaskEngine> {
 *   return new TaskEngine({
 *     broadcast: new MemoryBroadcastProvider(),
 *     shortTermStore: new MemoryShortTermStore(),
 *     longTermStore: await createPostgresAdapter({ url: "postgres://localhost/taskcast" }),
 *   });
 * }
 * ```
 */
export async function createPostgresAdapter(
  options: PostgresAdapterOptions,
): Promise<LongTermStore> {
  const pool = await open(options, "archive");
  return new PostgresLongTermStore(databaseOf(pool, options, "archive"), () => pool.close());
}

/**
 * Opens the short-term store and the broadcast layer on PostgreSQL, for teams that run nothing
 * else. It needs no archive: tasks are kept until they are deleted.
 *
 * @throws {Error} If PostgreSQL cannot be reached, or the tables have another version.
 */
export async function createPostgresAdapters(
  options: PostgresAdaptersOptions,
): Promise<PostgresAdapters> {
  const listenAt = parsePostgresAddress(options.listenUrl ?? options.url);
  const pool = await open(options, "live");
  let users = 2;
  const onClose = async () => {
    if (--users === 0) await pool.close();
  };
  const database = databaseOf(pool, options, "live");
  const broadcast = new PostgresBroadcast(
    database,
    (connection) => connect(listenAt, connection),
    once(onClose),
  );
  pool.onRenew(() => broadcast.renew());
  return { broadcast, shortTerm: new PostgresShortTermStore(database, once(onClose)) };
}

/**
 * Brings the tables in PostgreSQL up to date.
 *
 * @returns The versions before and after.
 */
export async function migratePostgres(
  options: Pick<PostgresAdapterOptions, "url">,
): Promise<{ from: number; to: number }> {
  const pool = poolOf(options);
  try {
    await pool.within(TIMEOUT_MS, () => greet(pool));
    return await pool.within(MIGRATE_MS, () => migrate(pool.session));
  } finally {
    await pool.destroy();
  }
}

async function open(options: PostgresAdapterOptions, kind: keyof typeof PREFIXES): Promise<Pool> {
  const { autoMigrate = true, timeoutMs = TIMEOUT_MS } = options;
  const pool = poolOf(options);
  try {
    await pool.within(timeoutMs, () => greet(pool));
    if (autoMigrate) await pool.within(MIGRATE_MS, () => migrate(pool.session));
    else await pool.within(timeoutMs, () => assertMigrated(pool.session.sql));
    await pool.within(timeoutMs, () => assertRights(pool.session.sql, kind));
    return pool;
  } catch (error) {
    await pool.destroy();
    throw error;
  }
}

/** Makes the first request and adapts to what it shows of the environment. */
async function greet(pool: Pool): Promise<void> {
  const { isPooled } = await readEnvironment(pool.session.sql);
  // Nothing tracks which of the pooler's connections knows which name.
  if (isPooled) pool.stopPreparing();
}

function poolOf(
  { url, maxConnections = MAX_CONNECTIONS, preparedStatements }: PostgresAdapterOptions,
): Pool {
  const address = parsePostgresAddress(url);
  return new Pool(
    () => connect(address, { max: maxConnections }),
    preparedStatements ?? address.prepares,
  );
}

function databaseOf(
  pool: Pool,
  { timeoutMs = TIMEOUT_MS, maxPending = 10_000, maxConnections = MAX_CONNECTIONS }:
    PostgresAdapterOptions,
  kind: keyof typeof PREFIXES,
): Database {
  return new Database(pool, { prefix: PREFIXES[kind], timeoutMs, maxPending, maxConnections });
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => done ??= work();
}
