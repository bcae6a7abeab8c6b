import assert from "node:assert/strict";
import { runCli, startCli } from "./support/cli.ts";

Deno.test("taskcast token makes what taskcast start takes, and writes nothing else to its output", async () => {
  const env = {
    TASKCAST_AUTH_MODE: "jwt",
    TASKCAST_JWT_SECRET: "a secret of more than thirty-two bytes",
  };
  const args = ["token", "--scope", "task:create", "--task-ids", "*", "--sub", "me"];
  const [made, broad, none] = await Promise.all([
    runCli(args, env),
    runCli(["token", "--scope", "*", "--task-ids", "*", "--expires", "7d"], env),
    runCli(args),
  ]);
  assert.deepEqual([made.code, made.err], [0, ""]);
  assert.match(made.out, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  assert.deepEqual([broad.code, broad.err.trimEnd().split("\n").length], [0, 2]);
  assert.deepEqual([none.code, none.out], [1, ""]);
  assert.match(none.err, /^error: TASKCAST_JWT_SECRET is missing/);

  await using server = await startCli([], env);
  const headers = { authorization: `Bearer ${made.out.trimEnd()}` };
  const created = await fetch(`${server.url}/tasks`, { method: "POST", headers });
  await created.body?.cancel();
  assert.equal(created.status, 201);
  const list = await fetch(`${server.url}/tasks`, { headers });
  await list.body?.cancel();
  assert.equal(list.status, 403);
});

Deno.test("taskcast start limits the address of the connection, or what its own proxy saw", async () => {
  const env = { TASKCAST_RATE_LIMIT: "1", TASKCAST_RATE_BURST: "1" };
  await using direct = await startCli(["--host", "127.0.0.1"], env);
  await using behind = await startCli(["--host", "127.0.0.1"], {
    ...env,
    TASKCAST_TRUST_PROXY: "1",
  });
  const limited = async (url: string, forwardedFor: string[]) => {
    const all = await Promise.all(forwardedFor.map(async (address) => {
      const headers = { "x-forwarded-for": address };
      const { status, body } = await fetch(`${url}/tasks`, { headers });
      await body?.cancel();
      return status;
    }));
    return all.filter((status) => status === 429).length;
  };
  // One a second: of eight at once most must wait, however fast or slow this machine is.
  const forged = Array.from({ length: 8 }, (_, i) => `10.0.0.${i}`);
  assert((await limited(direct.url, forged)) >= 4);
  assert.equal(await limited(behind.url, forged), 0, "the proxy saw eight clients");
  const prefixed = forged.map((address) => `${address}, 203.0.113.7`);
  assert((await limited(behind.url, prefixed)) >= 4, "the proxy saw one, who claims to be eight");
});
