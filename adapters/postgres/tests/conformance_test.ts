import {
  delayReads,
  testBroadcast,
  testLongTermStore,
  testShortTermStore,
} from "@taskcast/core/conformance";
import type { PostgresRole } from "../../../testing/databases/postgres_role.ts";
import { newRole } from "../../../testing/databases/postgres_role.ts";
import { emptySchema, newSchema } from "../../../testing/databases/postgres_schema.ts";
import { postgresUrl } from "../../../testing/databases/postgres_server.ts";
import type { PostgresAdapterOptions } from "../mod.ts";
import { createPostgresAdapter, createPostgresAdapters, migratePostgres } from "../mod.ts";
import { neededRights } from "../rights.ts";

const url = (await postgresUrl())!;
const test = url === undefined ? () => {} : Deno.test;

/** Returns a function that provides one schema with current, empty tables. */
function sharedSchema(): () => Promise<string> {
  let made: Promise<string> | undefined;
  return async () => {
    made ??= (async () => {
      const owner = await newSchema(url);
      await migratePostgres({ url: owner });
      return owner;
    })();
    const owner = await made;
    await emptySchema(owner);
    return owner;
  };
}

/** The same for a role with the least rights. */
function leastRights(kind: "live" | "archive"): () => Promise<string> {
  const schema = sharedSchema();
  let role: Promise<PostgresRole> | undefined;
  return async () => {
    const owner = await schema();
    role ??= (async () => {
      const role = await newRole(owner);
      await role.grant(
        ...neededRights(kind).map(({ name, privileges }) => {
          const sequence = privileges[0] === "USAGE" ? "SEQUENCE " : "";
          return `GRANT ${privileges.join(", ")} ON ${sequence}${name} TO ROLE`;
        }),
      );
      await role.close();
      return role;
    })();
    return (await role).url;
  };
}

const archiveSchema = leastRights("archive");
testLongTermStore({
  name: "postgres archive, for a role with the least rights",
  open: async () => await createPostgresAdapter({ url: await archiveSchema(), maxConnections: 2 }),
  test,
});

const liveSchema = sharedSchema();
async function openStore(options: Partial<PostgresAdapterOptions> = {}) {
  const { broadcast, shortTerm } = await createPostgresAdapters({
    url: options.url ?? await liveSchema(),
    maxConnections: 2,
    ...options,
  });
  await broadcast.close();
  return shortTerm;
}

testShortTermStore({ name: "postgres", open: () => openStore(), test });
const leastLiveSchema = leastRights("live");
testShortTermStore({
  name: "postgres, unprepared and for a role with the least rights",
  open: async () => await openStore({ url: await leastLiveSchema(), preparedStatements: false }),
  test,
});
testShortTermStore({
  name: "postgres, slow",
  open: async () => delayReads(await openStore(), 2),
  test,
});

testBroadcast({
  name: "postgres broadcast",
  async open() {
    const database = await newSchema(url);
    const [here, there] = await Promise.all([
      createPostgresAdapters({ url: database, maxConnections: 2 }),
      createPostgresAdapters({ url: database, maxConnections: 2 }),
    ]);
    return {
      publisher: here.broadcast,
      subscriber: there.broadcast,
      async close() {
        for (const { broadcast, shortTerm } of [here, there]) {
          await broadcast.close();
          await shortTerm.close();
        }
      },
    };
  },
  test,
});
