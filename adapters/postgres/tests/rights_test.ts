import assert from "node:assert/strict";
import postgres from "postgres";
import { documents } from "../../../testing/texts/markdown.ts";
import { newRole } from "../../../testing/databases/postgres_role.ts";
import { newSchema } from "../../../testing/databases/postgres_schema.ts";
import { postgresUrl, startPostgres } from "../../../testing/databases/postgres_server.ts";
import { createPostgresAdapter, createPostgresAdapters, migratePostgres } from "../mod.ts";
import type { Rights } from "../rights.ts";
import { neededRights } from "../rights.ts";

const url = (await postgresUrl())!;
const test = url === undefined ? () => {} : Deno.test;

const KINDS = ["live", "archive"] as const;

/** Returns the statement that grants or revokes rights. */
function statement({ name, privileges }: Rights, verb: "GRANT" | "REVOKE"): string {
  const kind = privileges[0] === "USAGE" ? "SEQUENCE " : "";
  return `${verb} ${privileges.join(", ")} ON ${kind}${name} ${
    verb === "GRANT" ? "TO" : "FROM"
  } ROLE`;
}

/** Opens and closes the adapters for a kind of tables. */
async function open(kind: typeof KINDS[number], address: string, autoMigrate = true) {
  const options = { url: address, maxConnections: 1, autoMigrate };
  if (kind === "archive") return await (await createPostgresAdapter(options)).close();
  const { broadcast, shortTerm } = await createPostgresAdapters(options);
  try {
    for (const part of [broadcast, shortTerm]) assert.equal(await part.check(), undefined);
  } finally {
    await broadcast.close();
    await shortTerm.close();
  }
}

for (const kind of KINDS) {
  test(`postgres: a role with the least rights to ${kind} tables that are up to date is taken`, async () => {
    const owner = await newSchema(url);
    await migratePostgres({ url: owner });
    await using role = await newRole(owner);
    await role.grant(...neededRights(kind).map((rights) => statement(rights, "GRANT")));
    await open(kind, role.url);
    await open(kind, role.url, false);
    assert.deepEqual(
      await migratePostgres({ url: role.url }),
      await migratePostgres({ url: owner }),
    );
  });

  test(`postgres: a role that lacks one right to ${kind} tables is refused with what to grant`, async () => {
    const owner = await newSchema(url);
    await migratePostgres({ url: owner });
    await using role = await newRole(owner);
    const needed = neededRights(kind);
    await role.grant(...needed.map((rights) => statement(rights, "GRANT")));
    for (const { name, privileges } of needed) {
      for (const privilege of privileges) {
        const one = { name, privileges: [privilege] };
        await role.grant(statement(one, "REVOKE"));
        await assert.rejects(open(kind, role.url), ({ message }: Error) => {
          const [, grant] = /^The role "\w+" lacks rights: (.*)$/.exec(message)!;
          assert.equal(grant!.replaceAll(`"${role.name}"`, "ROLE"), statement(one, "GRANT"));
          return true;
        });
        // The advice of the error helps.
        await role.grant(statement(one, "GRANT"));
      }
    }
    await open(kind, role.url);
  });
}

test("postgres: rights to every table and sequence are asked for by somebody", async () => {
  const owner = await newSchema(url);
  await migratePostgres({ url: owner });
  const sql = postgres(owner, { max: 1 });
  const found = await sql<{ name: string }[]>`SELECT relname AS name FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'S')`;
  await sql.end();
  const asked = new Set(KINDS.flatMap((kind) => neededRights(kind).map(({ name }) => name)));
  assert.deepEqual(found.map(({ name }) => name).sort(), [...asked].sort());
});

test("postgres: many missing rights are named in few statements, which help", async () => {
  const owner = await newSchema(url);
  await migratePostgres({ url: owner });
  await using role = await newRole(owner);
  await role.grant("GRANT SELECT ON taskcast_migrations TO ROLE");
  let message = "";
  await assert.rejects(open("live", role.url), (error: Error) => {
    message = error.message;
    return true;
  });
  const statements = message.slice(message.indexOf("GRANT")).split("; ");
  assert.equal(statements.length, 3);
  await role.grant(...statements);
  await open("live", role.url);
});

test("postgres: a role that may not read the version, use the schema or create tables is told so", async () => {
  const owner = await newSchema(url);
  await using role = await newRole(owner);
  // There are no tables, and the role may not make any.
  for (const kind of KINDS) {
    await assert.rejects(open(kind, role.url), /may not change them \(permission denied/);
    await assert.rejects(open(kind, role.url, false), /run "taskcast migrate" first/);
  }
  await migratePostgres({ url: owner });
  const grant = new RegExp(`GRANT SELECT ON taskcast_migrations TO "${role.name}"`);
  await assert.rejects(open("live", role.url), grant);
  await assert.rejects(open("live", role.url, false), grant);
  const schema = new URL(owner).searchParams.get("search_path");
  await role.grant(`REVOKE USAGE ON SCHEMA ${schema} FROM ROLE`);
  for (const autoMigrate of [true, false]) {
    await assert.rejects(
      open("live", role.url, autoMigrate),
      new RegExp(`GRANT USAGE ON SCHEMA "${schema}" TO "${role.name}"`),
    );
  }
});

for (const kind of KINDS) {
  test(`postgres: the rights to ${kind} tables that the documents list are those that are needed`, async () => {
    const { blocks } = (await documents()).find(({ file }) =>
      file === "docs/reference/storage/postgres.md"
    )!;
    const [block, ...others] = blocks.filter(({ language, text }) =>
      language === "sql" &&
      text.includes(kind === "live" ? "taskcast_live_tasks" : "taskcast_tasks")
    );
    assert.deepEqual(others, []);
    const listed = [
      ...block!.text.matchAll(/GRANT ([A-Z, ]+) ON (?:SEQUENCE )?(taskcast_[^;]*?)\s+TO/g),
    ]
      .flatMap(([, privileges, names]) =>
        names!.split(/,\s+/).map((name) => `${name}: ${privileges}`)
      );
    const needed = neededRights(kind).map(({ name, privileges }) =>
      `${name}: ${privileges.join(", ")}`
    );
    assert.deepEqual(listed.sort(), needed.sort());
  });
}

test("postgres: a database whose encoding cannot store every text is refused", async () => {
  await using server = await startPostgres();
  const sql = postgres(server.url, { max: 1, onnotice: () => {} });
  const database = async (encoding: string) => {
    const name = encoding.toLowerCase();
    await sql.unsafe(
      `CREATE DATABASE ${name} TEMPLATE template0 ENCODING '${encoding}' LOCALE 'C'`,
    );
    const address = new URL(server.url);
    address.pathname = `/${name}`;
    return address.href;
  };
  const latin = await database("LATIN1");
  const refusal = /the encoding of the database is LATIN1, in which not every text can be kept/;
  for (const kind of KINDS) await assert.rejects(open(kind, latin), refusal);
  await assert.rejects(migratePostgres({ url: latin }), refusal);
  await open("live", await database("SQL_ASCII"));
  await sql.end();
});
