import assert from "node:assert/strict";
import { runCli, startCli } from "../../testing/servers/cli.ts";
import { hasPgbouncer, startPgbouncer } from "../../testing/databases/pgbouncer_server.ts";
import { hasPostgres, startPostgres } from "../../testing/databases/postgres_server.ts";

// `adapters/postgres/tests/pooler_test.ts` reports that it is skipped.
const test = await hasPgbouncer() && await hasPostgres() ? Deno.test : () => {};

const START = ["--port", "0", "--host", "127.0.0.1", "--storage", "postgres"];

test("a start behind a transaction pooler names the missing address, and works with it", async () => {
  await using server = await startPostgres();
  await using pooler = await startPgbouncer(server.url, { poolSize: 2 });
  const env = { TASKCAST_POSTGRES_URL: pooler.url };
  const refused = await runCli(["start", ...START], env);
  assert.equal(refused.code, 1);
  assert.match(
    refused.err,
    /error: Cannot use postgres at [\d.:]+: wake-ups of PostgreSQL are not heard: .* \(TASKCAST_POSTGRES_LISTEN_URL\)/,
  );
  await using taskcast = await startCli(START, {
    ...env,
    TASKCAST_POSTGRES_LISTEN_URL: server.url,
  });
  const ready = await (await fetch(`${taskcast.url}/health/ready`)).json();
  assert.equal(ready.status, "ready");
  const post = (path: string, body: unknown) =>
    fetch(taskcast.url + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  // The first one after a start, and later ones.
  for (let i = 0; i < 20; i++) {
    const created = await post("/tasks", { id: `t${i}` });
    assert.equal(created.status, 201);
    await created.body?.cancel();
    const found = await fetch(`${taskcast.url}/tasks/t${i}`);
    assert.equal(found.status, 200);
    await found.body?.cancel();
  }
});
