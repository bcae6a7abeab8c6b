// The conformance suite of every adapter, for `node --test` in a project that installed them.
import { test } from "node:test";
import process from "node:process";
import postgres from "postgres";
import type { ShortTermStore } from "@taskcast/core/adapter";
import { MemoryBroadcastProvider, MemoryLongTermStore, MemoryShortTermStore } from "@taskcast/core";
import { testBroadcast, testLongTermStore, testShortTermStore } from "@taskcast/core/conformance";
import { openKv } from "@deno/kv";
import { createDenoKvAdapters } from "@taskcast/deno-kv";
import { createPostgresAdapter, createPostgresAdapters } from "@taskcast/postgres";
import { createRedisAdapters } from "@taskcast/redis";
import { createSqliteAdapters } from "@taskcast/sqlite";

const { REDIS_URL, DATABASE_URL, SUITES = "" } = process.env;
const wanted = SUITES.split(",");

interface Opened {
  broadcast: { close(): Promise<void> };
  shortTerm: ShortTermStore;
}

/** Returns the store, which closes the broadcast layer along with itself. */
function storeOf({ broadcast, shortTerm }: Opened): ShortTermStore {
  const close = shortTerm.close.bind(shortTerm);
  shortTerm.close = async () => {
    await broadcast.close();
    await close();
  };
  return shortTerm;
}

if (wanted.includes("memory")) {
  testShortTermStore({ name: "memory", open: () => new MemoryShortTermStore(), test });
  testLongTermStore({ name: "memory archive", open: () => new MemoryLongTermStore(), test });
  testBroadcast({
    name: "memory broadcast",
    open() {
      const broadcast = new MemoryBroadcastProvider();
      return { publisher: broadcast, subscriber: broadcast, close: () => broadcast.close() };
    },
    test,
  });
}

if (wanted.includes("sqlite")) {
  const open = () => createSqliteAdapters({ path: ":memory:" });
  testShortTermStore({ name: "sqlite", open: () => storeOf(open()), test });
  testLongTermStore({ name: "sqlite archive", open: () => open().longTerm, test });
}

if (wanted.includes("deno-kv")) {
  testShortTermStore({
    name: "deno-kv",
    open: async () => storeOf(createDenoKvAdapters(await openKv(":memory:"), { closesKv: true })),
    test,
  });
}

if (wanted.includes("redis")) {
  const open = () => createRedisAdapters(REDIS_URL!, { prefix: `npm:${crypto.randomUUID()}:` });
  testShortTermStore({ name: "redis", open: () => storeOf(open()), test });
}

if (wanted.includes("postgres")) {
  // One schema for all checks: emptying its tables is faster than creating them.
  const schema = `t${crypto.randomUUID().replaceAll("-", "")}`;
  const database = { url: `${DATABASE_URL}?search_path=${schema}`, maxConnections: 2 };
  const emptied = async () => {
    const sql = postgres(DATABASE_URL!, { max: 1, onnotice() {} });
    await sql`CREATE SCHEMA IF NOT EXISTS ${sql(schema)}`;
    const tables = await sql<{ name: string }[]>`SELECT tablename AS name FROM pg_tables
      WHERE schemaname = ${schema} AND tablename <> 'taskcast_migrations'`;
    const texts = tables.map(({ name }) => `DELETE FROM ${schema}.${name}`);
    await sql.unsafe(texts.join(";"));
    await sql.end();
    return database;
  };
  testShortTermStore({
    name: "postgres",
    open: async () => storeOf(await createPostgresAdapters(await emptied())),
    test,
  });
  testLongTermStore({
    name: "postgres archive",
    open: async () => await createPostgresAdapter(await emptied()),
    test,
  });
}
