import assert from "node:assert/strict";
import { exportPKCS8, exportSPKI, generateKeyPair } from "jose";
import { runCli, startCli } from "../../testing/servers/cli.ts";
import { tempFolder } from "../../testing/temp_file.ts";

Deno.test("taskcast token creates a token that taskcast start accepts, and prints only the token", async () => {
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

const SECRET = "a secret of more than thirty-two bytes";

async function statusOf(url: string, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token.trimEnd()}` };
  const response = await fetch(`${url}/tasks`, { headers });
  await response.body?.cancel();
  return response.status;
}

function claimsOf(out: string): Record<string, unknown> {
  return JSON.parse(atob(out.split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/")));
}

const ANY = ["token", "--scope", "event:subscribe", "--task-ids", "*"];

Deno.test("taskcast token reads the same file as start, and the environment overrides it", async () => {
  const jwt = (more: string) => `auth: { mode: jwt, jwt: { ${more} } }`;
  await using folder = await tempFolder({
    // A problem elsewhere, such as a missing address, does not concern a token.
    "taskcast.config.yaml": jwt("secret: '${S}', issuer: [us, them], audience: [tasks, all]") +
      "\nadapters: { shortTerm: { provider: redis } }",
    "other.json": `{"auth":{"mode":"jwt","jwt":{"secret":"${SECRET}","issuer":"other"}}}`,
  });
  const env = { S: SECRET };
  const [usual, named, above] = await Promise.all([
    runCli(ANY, env, folder.path),
    runCli([...ANY, "-c", "other.json"], {}, folder.path),
    runCli(
      ANY,
      { ...env, TASKCAST_JWT_ISSUER: "env", TASKCAST_JWT_SECRET: "x".repeat(40) },
      folder
        .path,
    ),
  ]);
  for (const { code, err } of [usual, named, above]) assert.deepEqual([code, err], [0, ""]);
  const { iss, aud } = claimsOf(usual.out);
  assert.deepEqual({ iss, aud }, { iss: "us", aud: "tasks" });
  assert.equal(claimsOf(named.out).iss, "other");
  assert.equal(claimsOf(named.out).aud, undefined);
  assert.equal(claimsOf(above.out).iss, "env");

  await using server = await startCli(["-c", "other.json"], {}, folder.path);
  assert.equal(await statusOf(server.url, named.out), 200);
  assert.equal(await statusOf(server.url, usual.out), 401);
  assert.equal(await statusOf(server.url, above.out), 401);
});

Deno.test("taskcast token names what is missing or wrong in the file", async () => {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  await using folder = await tempFolder({
    "es.yaml": "auth: { mode: jwt, jwt: { algorithm: ES256, publicKeyFile: jwt.pub } }",
    "none.yaml": "port: 1",
    "wrong.yaml": `auth: { jwt: { secrets: ${SECRET} } }`,
    "jwt.pub": await exportSPKI(publicKey),
    "key.pem": await exportPKCS8(privateKey),
  });
  const cases: [args: string[], message: string, env?: Record<string, string>][] = [
    [
      ["-c", "none.yaml"],
      "auth.jwt.secret of none.yaml, or TASKCAST_JWT_SECRET, is missing: the token is signed " +
      "with it",
    ],
    [
      ["-c", "es.yaml"],
      "es.yaml: auth.jwt.algorithm: ES256 is signed with a private key, which the server does not " +
      "have: give --private-key-file",
    ],
    [
      ["-c", "es.yaml"],
      "TASKCAST_JWT_ALGORITHM=RS256 is signed with a private key, which the server does not have: " +
      "give --private-key-file",
      { TASKCAST_JWT_ALGORITHM: "RS256" },
    ],
    [
      ["-c", "wrong.yaml"],
      'wrong.yaml: auth.jwt.secrets: there is no such key; did you mean "secret"?',
    ],
    [["-c", "no.yaml"], "There is no configuration file no.yaml"],
  ];
  await Promise.all(cases.map(async ([args, message, env]) => {
    const { code, out, err } = await runCli([...ANY, ...args], env, folder.path);
    assert.deepEqual({ code, out, err }, { code: 1, out: "", err: `error: ${message}\n` });
  }));
  const made = await runCli(
    [...ANY, "-c", "es.yaml", "--private-key-file", "key.pem"],
    {},
    folder.path,
  );
  assert.equal(made.code, 0);
  await using server = await startCli(["-c", "es.yaml"], {}, folder.path);
  assert.equal(await statusOf(server.url, made.out), 200);
});

Deno.test("taskcast start limits the address of the connection, or the one that its own proxy reports", async () => {
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
  // One per second: of eight at once, most must wait on any machine.
  const forged = Array.from({ length: 8 }, (_, i) => `10.0.0.${i}`);
  assert((await limited(direct.url, forged)) >= 4);
  assert.equal(await limited(behind.url, forged), 0, "the proxy saw eight clients");
  const prefixed = forged.map((address) => `${address}, 203.0.113.7`);
  assert((await limited(behind.url, prefixed)) >= 4, "the proxy saw one, who claims to be eight");
});
