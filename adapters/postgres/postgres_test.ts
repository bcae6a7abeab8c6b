import {
  delayReads,
  testBroadcast,
  testLongTermStore,
  testShortTermStore,
} from "@taskcast/core/conformance";
import { newSchema } from "../../tests/support/postgres_schema.ts";
import { postgresUrl } from "../../tests/support/postgres_server.ts";
import { createPostgresAdapter, createPostgresAdapters } from "./mod.ts";

const url = (await postgresUrl())!;
const test = url === undefined ? () => {} : Deno.test;

testLongTermStore({
  name: "postgres archive",
  open: async () => await createPostgresAdapter({ url: await newSchema(url), maxConnections: 2 }),
  test,
});

async function openStore(preparedStatements?: boolean) {
  const { broadcast, shortTerm } = await createPostgresAdapters({
    url: await newSchema(url),
    maxConnections: 2,
    preparedStatements,
  });
  await broadcast.close();
  return shortTerm;
}

testShortTermStore({ name: "postgres", open: () => openStore(), test });
testShortTermStore({ name: "postgres, unprepared", open: () => openStore(false), test });
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
