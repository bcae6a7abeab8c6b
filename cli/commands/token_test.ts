import assert from "node:assert/strict";
import type { JwtAlgorithm, JwtClaims, JwtOptions } from "@taskcast/server";
import { createTaskcastApp, JWT_ALGORITHMS } from "@taskcast/server";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import { exportJWK, exportPKCS8, exportSPKI, generateKeyPair } from "jose";
import type { JwtSettings } from "../config/jwt_settings.ts";
import { SettingsError } from "../config/settings_error.ts";
import type { Terminal } from "../command_line/terminal.ts";
import type { TokenOptions } from "./token.ts";
import { token } from "./token.ts";

const secret = "a secret of more than thirty-two bytes";

/** Runs the command; its output and its remarks. */
async function make(options: Partial<TokenOptions>, settings: Partial<JwtSettings> = {}) {
  const written = { out: "", err: "" };
  const code = await token(
    { scope: ["event:subscribe"], taskIds: "t", expires: 60, json: false, ...options },
    {
      algorithm: "HS256",
      algorithmName: "a.yaml: auth.jwt.algorithm: ",
      secret,
      secretNames: "TASKCAST_JWT_SECRET",
      ...settings,
    },
    {
      out: (text) => Promise.resolve(void (written.out += text)),
      err: () => Promise.resolve(),
      note: (line) => void (written.err += `${line}\n`),
      paint: (_style, text) => text,
    } satisfies Partial<Terminal> as unknown as Terminal,
  );
  assert.equal(code, 0);
  return { ...written, token: written.out.trimEnd() };
}

async function statusWith(jwt: JwtOptions, bearer: string, path = "/tasks/t"): Promise<number> {
  await using engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
  });
  for (const id of ["t", "u"]) await engine.createTask({ id });
  const app = createTaskcastApp({ engine, auth: { mode: "jwt", jwt } });
  const headers = { authorization: `Bearer ${bearer}` };
  return (await app.request(path, { headers })).status;
}

Deno.test("token: it says its rights where the server's settings look for them", async () => {
  const all: JwtClaims[] = [
    { scope: "permissions" },
    { scope: ["scp", "roles"], taskIds: "https://a.example/tasks" },
    { scope: "realm_access.roles", prefix: "taskcast:" },
    { prefix: "tasks/", taskIds: "*" },
  ];
  for (const claims of all) {
    const { token, err } = await make({}, { claims });
    assert.equal(err, "");
    assert.equal(await statusWith({ secret, claims }, token), 200, JSON.stringify(claims));
    const other = claims.taskIds === "*" ? 200 : 403;
    assert.equal(await statusWith({ secret, claims }, token, "/tasks/u"), other);
    assert.equal(await statusWith({ secret, claims }, token, "/tasks/t/events/history"), 403);
  }
});

Deno.test("token: a server with the same settings takes it, for what it says and nothing else", async () => {
  const { token, out, err } = await make({ sub: "me" });
  assert.match(out, /^[\w-]+\.[\w-]+\.[\w-]+\n$/, "nothing but the token");
  assert.equal(err, "");
  const both = { issuer: "us", audience: "taskcast" };
  assert.equal(await statusWith({ secret }, token), 200);
  assert.equal(await statusWith({ secret }, token, "/tasks/u"), 403);
  assert.equal(await statusWith({ secret }, token, "/tasks/t/events/history"), 403);
  assert.equal(await statusWith({ secret: `${secret}!` }, token), 401);
  assert.equal(await statusWith({ secret, ...both }, token), 401);
  assert.equal(await statusWith({ secret, ...both }, (await make({}, both)).token), 200);
});

for (const algorithm of JWT_ALGORITHMS.filter((name) => name !== "HS256")) {
  Deno.test(`token: signs ${algorithm} with a private key as PEM or JWK`, async () => {
    const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
    const jwk = JSON.stringify({ ...await exportJWK(privateKey), kid: "k1" });
    const file = await Deno.makeTempFile();
    try {
      for (const text of [await exportPKCS8(privateKey), jwk]) {
        await Deno.writeTextFile(file, text);
        const { token } = await make({ privateKeyFile: file }, { algorithm, secret: undefined });
        const jwt = { algorithm, publicKey: await exportSPKI(publicKey) };
        assert.equal(await statusWith(jwt, token), 200);
        const header = JSON.parse(atob(token.split(".")[0]!));
        assert.equal(header.kid, text === jwk ? "k1" : undefined);
      }
    } finally {
      await Deno.remove(file);
    }
  });
}

Deno.test("token: warns of broad or useless tokens, separately from the output", async () => {
  const warned: [Partial<TokenOptions>, RegExp][] = [
    [{ scope: ["*"], taskIds: "*" }, /may do everything with every task/],
    [{ scope: ["*"] }, /"\*" is everything/],
    [{ expires: 86_401 }, /more than a day/],
    [{ taskIds: undefined }, /for no task/],
  ];
  for (const [options, message] of warned) {
    const { out, err } = await make(options);
    assert.match(err, message);
    assert.equal(out.trimEnd().split("\n").length, 1);
  }
});

Deno.test("token: --json writes the claims, and lists are accepted in any notation", async () => {
  const { out } = await make({
    json: true,
    scope: ["event:publish,task:create", "event:subscribe"],
    taskIds: "a, b",
    expires: 90,
  });
  const { token, claims } = JSON.parse(out);
  assert.deepEqual(JSON.parse(atob(token.split(".")[1])), claims);
  assert.deepEqual(claims.scope, ["task:create", "event:publish", "event:subscribe"]);
  assert.deepEqual(claims.taskIds, ["a", "b"]);
  assert.equal(claims.exp - claims.iat, 90);
});

Deno.test("token: names what is missing, and shows no secret", async () => {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, "-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----");
  const wrong: [Partial<TokenOptions>, Partial<JwtSettings>, RegExp][] = [
    [{}, { secret: undefined }, /TASKCAST_JWT_SECRET is missing/],
    [{ scope: [] }, {}, /--scope is missing/],
    [{ scope: ["event:subscribers"] }, {}, /"event:subscribers"/],
    [{ privateKeyFile: file }, {}, /TASKCAST_JWT_ALGORITHM/],
    [
      {},
      { algorithm: "ES256" as JwtAlgorithm },
      /^a\.yaml: auth\.jwt\.algorithm: ES256 is signed.*--private-key-file/,
    ],
    [{ privateKeyFile: `${file}.none` }, { algorithm: "ES256" }, /it is not there/],
    [{ privateKeyFile: file }, { algorithm: "ES256" }, /no private key for ES256/],
  ];
  try {
    for (const [options, settings, message] of wrong) {
      await assert.rejects(make(options, settings), (error: Error) => {
        assert(error instanceof SettingsError, error.message);
        assert.match(error.message, message);
        assert(!error.message.includes("hush") && !error.message.includes(secret));
        return true;
      });
    }
    // A public key, or one of another kind.
    const pair = await generateKeyPair("ES256", { extractable: true });
    await Deno.writeTextFile(file, JSON.stringify(await exportJWK(pair.publicKey)));
    const options = { privateKeyFile: file };
    await assert.rejects(make(options, { algorithm: "ES256" }), SettingsError);
    await Deno.writeTextFile(file, await exportPKCS8(pair.privateKey));
    await assert.rejects(make(options, { algorithm: "RS256" }), SettingsError);
  } finally {
    await Deno.remove(file);
  }
});
