import assert from "node:assert/strict";
import { postgresUrl } from "../../../testing/databases/postgres_server.ts";
import { newSchema } from "../../../testing/databases/postgres_schema.ts";
import { parsePostgresAddress } from "../connection/address.ts";
import { connect } from "../connection/connect.ts";
import type { Run } from "../connection/transaction.ts";
import { inTransaction } from "../connection/transaction.ts";

const url = (await postgresUrl())!;
const test = url === undefined ? () => {} : Deno.test;

/**
 * Runs a transaction that writes a row, and returns its outcome, the rows, and the state of the
 * connection.
 */
async function runTransaction(
  work: (run: Run) => Promise<unknown>,
): Promise<{ outcome: string; rows: number }> {
  const { sql, close } = connect(parsePostgresAddress(await newSchema(url)), { max: 1 });
  await sql.unsafe("CREATE TABLE rows (id int)");
  const outcome = await inTransaction({ sql, prepares: true }, async (run) => {
    await run("INSERT INTO rows VALUES ($1)", 1);
    await work(run);
  }).then(() => "committed", (error) => error.message);
  const [{ rows }] = await sql.unsafe<[{ rows: number }]>(
    "SELECT count(*)::int AS rows FROM rows",
  );
  await close();
  return { outcome, rows };
}

test("inTransaction() commits, and says so only then", async () => {
  const { outcome, rows } = await runTransaction(() => Promise.resolve());
  assert.deepEqual({ outcome, rows }, { outcome: "committed", rows: 1 });
});

test("inTransaction() does not take the end of a transaction that failed for a commit", async () => {
  // The error went unnoticed, as when a driver or a pooler handles it itself.
  const { outcome, rows } = await runTransaction((run) => run("SELECT 1 / 0").catch(() => {}));
  assert.match(outcome, /division by zero/);
  assert.equal(rows, 0);
});

test("inTransaction() does not take another transaction's commit for its own", async () => {
  const elsewhere = ["ROLLBACK", "ROLLBACK; BEGIN", "ROLLBACK; BEGIN; SELECT 1"];
  for (const text of elsewhere) {
    const { outcome, rows } = await runTransaction((run) => run(text));
    assert.match(outcome, /did not commit a transaction of which every statement succeeded/);
    assert.equal(rows, 0);
  }
});

test("inTransaction() runs nothing once the transaction is over", async () => {
  let late: Run | undefined;
  await runTransaction((run) => Promise.resolve(late = run));
  await assert.rejects(late!("SELECT 1"), /is over/);
});
