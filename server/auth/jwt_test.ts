import assert from "node:assert/strict";
import type { JWTPayload } from "jose";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { createJwtVerifier } from "./jwt.ts";
import type { JwtAlgorithm } from "./options.ts";
import { JWT_ALGORITHMS } from "./options.ts";

const SECRET = "a secret of more than thirty-two bytes";
const utf8 = (text: string) => new TextEncoder().encode(text);

type SigningKey = Parameters<SignJWT["sign"]>[0];

function sign(claims: JWTPayload, key: SigningKey = utf8(SECRET), alg = "HS256", kid?: string) {
  return new SignJWT(claims).setProtectedHeader({ alg, ...(kid ? { kid } : {}) }).sign(key);
}

const verifyHs256 = createJwtVerifier({ secret: SECRET });
const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

for (const algorithm of JWT_ALGORITHMS.filter((name) => name !== "HS256")) {
  Deno.test(`createJwtVerifier() takes ${algorithm} with a PEM and with a JWK, and no other key`, async () => {
    const pair = await generateKeyPair(algorithm, { extractable: true });
    const other = await generateKeyPair(algorithm, { extractable: true });
    const pem = await exportSPKI(pair.publicKey);
    for (const publicKey of [pem, JSON.stringify(await exportJWK(pair.publicKey))]) {
      const verify = createJwtVerifier({ algorithm, publicKey });
      const context = await verify(await sign({ sub: "me" }, pair.privateKey, algorithm));
      assert.equal(context.sub, "me");
      const forged = await sign({ sub: "me" }, other.privateKey, algorithm);
      await assert.rejects(verify(forged), { code: "UNAUTHORIZED" });
      // The oldest trick: the public key, which everybody knows, taken for a shared secret.
      const confused = await sign({ sub: "me" }, utf8(pem), "HS256");
      await assert.rejects(verify(confused), { code: "UNAUTHORIZED", message: /algorithm/ });
    }
  });
}

Deno.test("createJwtVerifier() refuses unsigned and altered tokens", async () => {
  const unsigned = new UnsecuredJWT({ sub: "me", taskIds: "*", scope: ["*"] }).encode();
  await assert.rejects(verifyHs256(unsigned), { code: "UNAUTHORIZED" });
  const [head, , signature] = (await sign({ sub: "me" })).split(".");
  const body = btoa(JSON.stringify({ sub: "root" })).replaceAll("=", "");
  await assert.rejects(verifyHs256([head, body, signature].join(".")), { code: "UNAUTHORIZED" });
  for (const text of ["", ".", "a.b", "a.b.c", "\u0000", "ey.ey.ey"]) {
    await assert.rejects(verifyHs256(text), { code: "UNAUTHORIZED" });
  }
});

Deno.test("createJwtVerifier() checks exp, nbf, iss and aud", async () => {
  const verify = createJwtVerifier({ secret: SECRET, issuer: "us", audience: "taskcast" });
  const good = { iss: "us", aud: ["other", "taskcast"], exp: inSeconds(60) };
  assert.equal((await verify(await sign(good))).expiresAtMs, good.exp * 1000);
  const bad: [JWTPayload, RegExp][] = [
    [{ ...good, exp: inSeconds(-5) }, /expired/],
    [{ ...good, nbf: inSeconds(60) }, /"nbf"/],
    [{ ...good, iss: "them" }, /"iss"/],
    [{ ...good, iss: undefined }, /"iss"/],
    [{ ...good, aud: "task" }, /"aud"/],
    [{ ...good, aud: undefined }, /"aud"/],
  ];
  for (const [claims, message] of bad) {
    await assert.rejects(verify(await sign(claims)), { code: "UNAUTHORIZED", message });
  }
  const tolerant = createJwtVerifier({ secret: SECRET, clockToleranceSeconds: 30 });
  await tolerant(await sign({ exp: inSeconds(-5) }));
});

Deno.test("claims: absent taskIds and scopes grant nothing, texts are not matched by their parts", async () => {
  const contextOf = async (claims: JWTPayload) => {
    const { taskIds, scope } = await verifyHs256(await sign(claims));
    return { taskIds, scope };
  };
  assert.deepEqual(await contextOf({}), { taskIds: [], scope: [] });
  assert.deepEqual(await contextOf({ taskIds: "*", scope: "*" }), { taskIds: "*", scope: ["*"] });
  assert.deepEqual(
    await contextOf({ taskIds: ["a", "b"], scope: "event:subscribe  task:create admin" }),
    { taskIds: ["a", "b"], scope: ["task:create", "event:subscribe"] },
  );
  assert.deepEqual((await contextOf({ scope: ["event:history"] })).scope, ["event:history"]);
  assert.deepEqual((await contextOf({ scope: "event:subscribers" })).scope, []);
  for (const taskIds of ["t1", 1, null, {}, [1], "t1,*"]) {
    await assert.rejects(verifyHs256(await sign({ taskIds })), { message: /"taskIds"/ });
  }
  for (const scope of [1, null, {}, [1]]) {
    await assert.rejects(verifyHs256(await sign({ scope })), { message: /"scope"/ });
  }
});

Deno.test("a refusal holds nothing of the token", async () => {
  const token = await sign({ sub: "private-name", exp: inSeconds(-1) });
  await assert.rejects(verifyHs256(token), (error: Error) => {
    assert(!error.message.includes("private-name") && !error.message.includes(token.slice(0, 10)));
    return true;
  });
});

Deno.test("jwksUrl: keys are fetched once, and again when a token names a new one", async () => {
  const algorithm: JwtAlgorithm = "ES256";
  const pairs = [await generateKeyPair(algorithm), await generateKeyPair(algorithm)];
  const jwks = await Promise.all(
    pairs.map(async ({ publicKey }, i) => ({ ...await exportJWK(publicKey), kid: `k${i}` })),
  );
  let published = 1;
  let fetches = 0;
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, () => {
    fetches++;
    return Response.json({ keys: jwks.slice(0, published) });
  });
  try {
    const jwksUrl = `http://127.0.0.1:${server.addr.port}/jwks.json`;
    const verify = createJwtVerifier({ algorithm, jwksUrl, jwksCooldownMs: 0 });
    const first = await sign({ sub: "me" }, pairs[0]!.privateKey, algorithm, "k0");
    const second = await sign({ sub: "me" }, pairs[1]!.privateKey, algorithm, "k1");
    await Promise.all([verify(first), verify(first)]);
    await verify(first);
    assert.equal(fetches, 1);
    await assert.rejects(verify(second), { code: "UNAUTHORIZED", message: /key is not known/ });
    published = 2;
    assert.equal((await verify(second)).sub, "me");
    await verify(first);
    assert.equal(fetches, 3);
  } finally {
    await server.shutdown();
  }
});

Deno.test("jwksUrl: a key set that cannot be fetched is the server's trouble, not the token's", async () => {
  const { privateKey } = await generateKeyPair("ES256");
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    () => new Response("no", { status: 500 }),
  );
  const jwksUrl = `http://127.0.0.1:${server.addr.port}/jwks.json`;
  const verify = createJwtVerifier({ algorithm: "ES256", jwksUrl });
  try {
    const token = await sign({}, privateKey, "ES256", "k0");
    await assert.rejects(verify(token), (error: { code?: string }) => {
      assert.notEqual(error.code, "UNAUTHORIZED");
      return true;
    });
  } finally {
    await server.shutdown();
  }
});

Deno.test("createJwtVerifier() refuses options that cannot work", () => {
  const bad = [
    {},
    { algorithm: "none" as JwtAlgorithm, secret: SECRET },
    { algorithm: "HS256" as const, publicKey: "x" },
    { algorithm: "RS256" as const },
    { algorithm: "RS256" as const, secret: SECRET },
    { algorithm: "RS256" as const, publicKey: "x", jwksUrl: "http://localhost/" },
    { algorithm: "RS256" as const, jwksUrl: "not a url" },
  ];
  for (const options of bad) assert.throws(() => createJwtVerifier(options), TypeError);
});
