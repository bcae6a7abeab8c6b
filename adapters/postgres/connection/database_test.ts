import assert from "node:assert/strict";
import type postgres from "postgres";
import { Database } from "./database.ts";
import { Pool } from "./pool.ts";

const MAX_CONNECTIONS = 3;

/** Returns a database whose first sessions end before they reply, and a count of its requests. */
function databaseThat(code: string, ends = Infinity) {
  let asked = 0;
  const ask = (): Promise<unknown[]> =>
    ++asked <= ends
      ? Promise.reject(Object.assign(new Error("ended"), { code }))
      : Promise.resolve([{ is: "there" }]);
  const sql = { unsafe: ask, begin: ask } as unknown as postgres.Sql;
  const end = () => Promise.resolve();
  const database = new Database(new Pool(() => ({ sql, close: end, destroy: end })), {
    prefix: "",
    timeoutMs: 5_000,
    maxPending: 10,
    maxConnections: MAX_CONNECTIONS,
  });
  return { database, asked: () => asked };
}

const ENDED = ["57P01", "57P02", "57P03", "CONNECTION_CLOSED", "CONNECTION_DESTROYED"];

Deno.test("a read whose session ended is repeated until its session survives", async () => {
  for (const code of ENDED) {
    const { database, asked } = databaseThat(code, MAX_CONNECTIONS);
    assert.deepEqual(await database.read("SELECT 1"), [{ is: "there" }], code);
    assert.equal(asked(), 1 + MAX_CONNECTIONS);
    const ending = databaseThat(code);
    await assert.rejects(ending.database.read("SELECT 1"), { code: "STORE_UNAVAILABLE" });
    assert.equal(ending.asked(), 1 + MAX_CONNECTIONS, "and not for ever");
  }
});

Deno.test("a read that failed for another reason is not repeated", async () => {
  for (const code of ["53300", "57014", "ECONNREFUSED", "CONNECT_TIMEOUT"]) {
    const { database, asked } = databaseThat(code);
    await assert.rejects(database.read("SELECT 1"), { code: "STORE_UNAVAILABLE" });
    assert.equal(asked(), 1, code);
  }
});

Deno.test("what may write is not repeated when its session ended: it may have been carried out", async () => {
  for (const code of ENDED) {
    const { database, asked } = databaseThat(code);
    await assert.rejects(database.run("INSERT"), { code: "STORE_UNAVAILABLE" });
    await assert.rejects(database.transaction((run) => run("INSERT")), {
      code: "STORE_UNAVAILABLE",
    });
    assert.equal(asked(), 2, code);
  }
});
