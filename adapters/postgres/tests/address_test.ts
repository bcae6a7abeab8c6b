import assert from "node:assert/strict";
import postgres from "postgres";
import { newSchema } from "../../../testing/databases/postgres_schema.ts";
import { postgresUrl } from "../../../testing/databases/postgres_server.ts";
import { createPostgresAdapter } from "../adapters.ts";

const url = await postgresUrl();

Deno.test({
  name:
    "postgres: an address with parameters for other clients, and encoded in every part, is used",
  ignore: url === undefined,
}, async () => {
  const schema = new URL(await newSchema(url!)).searchParams.get("search_path")!;
  const name = `d ${schema}/?`;
  const sql = postgres(url!, { max: 1 });
  const encoded = encodeURIComponent(name);
  try {
    await sql.unsafe(`CREATE ROLE "${name}" SUPERUSER LOGIN PASSWORD 'p@:/?#'`);
    await sql.unsafe(`CREATE DATABASE "${name}" OWNER "${name}"`);
    const { host } = new URL(url!);
    const archive = await createPostgresAdapter({
      url: `postgres://${encoded}:p%40%3A%2F%3F%23@${host}/${encoded}` +
        "?sslmode=prefer&channel_binding=prefer&schema=public&pgbouncer=true&connection_limit=5" +
        "&connect_timeout=10&options=-c%20work_mem%3D8MB",
    });
    const found = await sql`SELECT count(*)::int AS n FROM pg_stat_activity WHERE usename = ${name}
      AND datname = ${name}`;
    assert(found[0]!.n > 0);
    await archive.close();
  } finally {
    await sql.unsafe(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
    await sql.unsafe(`DROP ROLE IF EXISTS "${name}"`);
    await sql.end();
  }
});
