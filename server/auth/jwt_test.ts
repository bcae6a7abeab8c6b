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
  Deno.test(`createJwtVerifier() accepts ${algorithm} keys as PEM and JWK, and refuses other keys`, async () => {
    const pair = await generateKeyPair(algorithm, { extractable: true });
    const other = await generateKeyPair(algorithm, { extractable: true });
    const pem = await exportSPKI(pair.publicKey);
    for (const publicKey of [pem, JSON.stringify(await exportJWK(pair.publicKey))]) {
      const verify = createJwtVerifier({ algorithm, publicKey });
      const context = await verify(await sign({ sub: "me" }, pair.privateKey, algorithm));
      assert.equal(context.sub, "me");
      const forged = await sign({ sub: "me" }, other.privateKey, algorithm);
      await assert.rejects(verify(forged), { code: "UNAUTHORIZED" });
      // The classic attack: the public key used as a shared secret.
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

Deno.test("claims: absent taskIds and scopes grant nothing, and strings are not matched in part", async () => {
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

Deno.test("a refusal contains nothing from the token", async () => {
  const token = await sign({ sub: "private-name", exp: inSeconds(-1) });
  await assert.rejects(verifyHs256(token), (error: Error) => {
    assert(!error.message.includes("private-name") && !error.message.includes(token.slice(0, 10)));
    return true;
  });
});

Deno.test("several issuers and audiences are allowed; an empty list is an error", async () => {
  const verify = createJwtVerifier({
    secret: SECRET,
    issuer: ["us", "also us"],
    audience: ["taskcast", "tasks"],
  });
  for (const iss of ["us", "also us"]) {
    for (const aud of ["taskcast", "tasks", ["other", "tasks"]]) {
      await verify(await sign({ iss, aud }));
    }
  }
  const bad: JWTPayload[] = [
    { iss: "u", aud: "tasks" },
    { iss: "us", aud: "task" },
    {
      iss: "us",
      aud: [],
    },
    { iss: ["us"] as unknown as string, aud: "tasks" },
    { aud: "tasks" },
    { iss: "us" },
  ];
  for (const claims of bad) {
    await assert.rejects(verify(await sign(claims)), { code: "UNAUTHORIZED" });
  }
  for (const nothing of ["", [], [""], ["us", ""]]) {
    assert.throws(() => createJwtVerifier({ secret: SECRET, issuer: nothing }), TypeError);
    assert.throws(() => createJwtVerifier({ secret: SECRET, audience: nothing }), TypeError);
  }
});

Deno.test("exp and nbf are exact to the second, and the clock tolerance applies to both", async () => {
  const clock = { nowMs: 0 };
  const [exp, nbf] = [2_000, 1_000];
  const token = await sign({ exp, nbf });
  for (const clockToleranceSeconds of [0, 30]) {
    const verify = createJwtVerifier({ secret: SECRET, clockToleranceSeconds }, {
      now: () => clock.nowMs,
    });
    const at = async (seconds: number) => {
      clock.nowMs = seconds * 1000;
      return await verify(token).then(({ expiresAtMs }) => expiresAtMs, ({ code }) => code);
    };
    const endsAtMs = (exp + clockToleranceSeconds) * 1000;
    assert.equal(await at(nbf - clockToleranceSeconds - 1), "UNAUTHORIZED");
    assert.equal(await at(nbf - clockToleranceSeconds), endsAtMs);
    assert.equal(await at(exp + clockToleranceSeconds - 1), endsAtMs);
    assert.equal(await at(exp + clockToleranceSeconds), "UNAUTHORIZED");
  }
  for (const clockToleranceSeconds of [-1, NaN, Infinity]) {
    assert.throws(() => createJwtVerifier({ secret: SECRET, clockToleranceSeconds }), TypeError);
  }
});

Deno.test("a token that requires an extension is refused and is not reported as a server error", async () => {
  const header = btoa(JSON.stringify({ alg: "HS256", crit: ["exotic"], exotic: true }));
  const [, body, signature] = (await sign({ sub: "me" })).split(".");
  const token = [header.replaceAll("=", ""), body, signature].join(".");
  await assert.rejects(verifyHs256(token), { code: "UNAUTHORIZED" });
});

Deno.test("a public key is never used as a shared secret, whatever is configured", async () => {
  const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
  const pem = await exportSPKI(publicKey);
  const jwk = JSON.stringify(await exportJWK(publicKey));
  const verify = createJwtVerifier({ algorithm: "RS256", publicKey: pem });
  for (const guess of [pem, `${pem}\n`, pem.trim(), jwk]) {
    await assert.rejects(verify(await sign({ sub: "root" }, utf8(guess))), {
      code: "UNAUTHORIZED",
    });
  }
  // A server with a shared secret accepts no other algorithm.
  const signed = await sign({ sub: "root" }, privateKey, "RS256");
  await assert.rejects(verifyHs256(signed), { code: "UNAUTHORIZED", message: /algorithm/ });
});

for (const algorithm of JWT_ALGORITHMS) {
  Deno.test(`the ${algorithm} key is imported once for any number of tokens`, async () => {
    const pair = algorithm === "HS256"
      ? undefined
      : await generateKeyPair(algorithm, { extractable: true });
    const verify = createJwtVerifier(
      pair === undefined
        ? { secret: SECRET }
        : { algorithm, publicKey: await exportSPKI(pair.publicKey) },
    );
    const token = await sign({ sub: "me" }, pair?.privateKey, algorithm);
    const { importKey } = crypto.subtle;
    let imports = 0;
    crypto.subtle.importKey = function (...args: unknown[]) {
      imports++;
      return Reflect.apply(importKey, crypto.subtle, args);
    } as typeof importKey;
    try {
      await Promise.all([verify(token), verify(token)]);
      for (let i = 0; i < 10; i++) await verify(token);
    } finally {
      crypto.subtle.importKey = importKey;
    }
    assert.equal(imports, 1);
  });
}

Deno.test("createJwtVerifier() rejects invalid options", () => {
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
