import type { BroadcastProvider, LongTermStore, ShortTermStore } from "@taskcast/core";
import postgres from "postgres";
import { PostgresBroadcast } from "./broadcast.ts";
import { Database } from "./database.ts";
import { PostgresLongTermStore } from "./long_term_store.ts";
import { assertMigrated, migrate, PREFIXES } from "./migrations.ts";
import { PostgresShortTermStore } from "./short_term_store.ts";

/** Options for the adapters on PostgreSQL. */
export interface PostgresAdapterOptions {
  /** `postgres://user:password@host:port/database`, with `?sslmode=require` where it is wanted. */
  url: string;
  /**
   * Brings the tables up to date at the start. `false`: tables that are not are an error.
   *
   * @default {true}
   */
  autoMigrate?: boolean;
  /** Connections at most. @default {10} */
  maxConnections?: number;
  /** Milliseconds that an answer may take before the request fails. @default {10000} */
  timeoutMs?: number;
  /** Requests that may wait for answers before more are refused. @default {10000} */
  maxPending?: number;
}

/** What an engine on PostgreSQL alone is made of. */
export interface PostgresAdapters {
  /** Wake-ups by LISTEN and NOTIFY. */
  broadcast: BroadcastProvider;
  /** Tasks and logs. */
  shortTerm: ShortTermStore;
}

/** Milliseconds that a connection may take. */
const CONNECT_SECONDS = 5;

/**
 * Opens the archive in PostgreSQL, and brings its tables up to date.
 *
 * @throws {Error} If PostgreSQL cannot be reached, or the tables are of another version.
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
  const sql = await open(options);
  return new PostgresLongTermStore(databaseOf(sql, options, "archive"), () => end(sql));
}

/**
 * Opens the short-term store and the wake-ups on PostgreSQL, for teams that run nothing else. An
 * archive is not needed beside it: tasks are kept until they are deleted.
 *
 * @throws {Error} If PostgreSQL cannot be reached, or the tables are of another version.
 */
export async function createPostgresAdapters(
  options: PostgresAdapterOptions,
): Promise<PostgresAdapters> {
  const sql = await open(options);
  let users = 2;
  const onClose = async () => {
    if (--users === 0) await end(sql);
  };
  return {
    broadcast: new PostgresBroadcast(sql, once(onClose)),
    shortTerm: new PostgresShortTermStore(databaseOf(sql, options, "live"), once(onClose)),
  };
}

/**
 * Brings the tables in PostgreSQL up to date.
 *
 * @returns The versions before and after.
 */
export async function migratePostgres(
  options: Pick<PostgresAdapterOptions, "url">,
): Promise<{ from: number; to: number }> {
  const sql = connect(options);
  try {
    return await migrate(sql);
  } finally {
    await end(sql);
  }
}

async function open(options: PostgresAdapterOptions): Promise<postgres.Sql> {
  const sql = connect(options);
  try {
    if (options.autoMigrate === false) await assertMigrated(sql);
    else await migrate(sql);
    return sql;
  } catch (error) {
    await end(sql);
    throw error;
  }
}

function connect({ url, maxConnections = 10 }: PostgresAdapterOptions): postgres.Sql {
  if (typeof url !== "string" || !/^postgres(ql)?:\/\//.test(url)) {
    throw new TypeError('PostgreSQL: "url" must begin with postgres://');
  }
  return postgres(url, {
    max: maxConnections,
    connect_timeout: CONNECT_SECONDS,
    onnotice: () => {},
    fetch_types: false, // A list of all types, for each connection; arrays travel as JSON here.
    connection: { application_name: "taskcast" },
  });
}

function databaseOf(
  sql: postgres.Sql,
  { timeoutMs = 10_000, maxPending = 10_000 }: PostgresAdapterOptions,
  kind: keyof typeof PREFIXES,
): Database {
  return new Database(sql, { prefix: PREFIXES[kind], timeoutMs, maxPending });
}

async function end(sql: postgres.Sql): Promise<void> {
  await sql.end({ timeout: CONNECT_SECONDS });
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => done ??= work();
}
