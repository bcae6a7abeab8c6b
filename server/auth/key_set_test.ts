import assert from "node:assert/strict";
import type { JWK } from "jose";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { createJwtVerifier } from "./jwt.ts";
import type { JwtOptions } from "./options.ts";

// A real key server over a socket, and a manual clock.

const ALGORITHM = "ES256";
const COOLDOWN_MS = 30_000;
const MAX_AGE_MS = 600_000;

const pairs = await Promise.all([1, 2, 3].map(() => generateKeyPair(ALGORITHM)));

async function jwk(i: number, more: Partial<JWK> = {}): Promise<JWK> {
  return { ...await exportJWK(pairs[i]!.publicKey), kid: `k${i}`, ...more };
}

function tokenOf(i: number, kid: string | undefined = `k${i}`, alg = ALGORITHM): Promise<string> {
  return new SignJWT({ sub: "me" }).setProtectedHeader({ alg, kid }).sign(pairs[i]!.privateKey);
}

interface KeyServer {
  url: string;
  keys: JWK[];
  /** The response sent instead of the keys. */
  answer?: () => Response | Promise<Response>;
  fetches: number;
  nowMs: number;
  verify: (token: string) => Promise<{ sub?: string }>;
  [Symbol.asyncDispose](): Promise<void>;
}

function keyServer(keys: JWK[], options: Partial<JwtOptions> = {}): KeyServer {
  const stop = new AbortController();
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", signal: stop.signal, onListen: () => {} },
    () => {
      state.fetches++;
      return state.answer?.() ?? Response.json({ keys: state.keys });
    },
  );
  const jwksUrl = `http://127.0.0.1:${server.addr.port}/jwks.json`;
  const state: KeyServer = {
    url: jwksUrl,
    keys,
    fetches: 0,
    nowMs: 0,
    verify: createJwtVerifier({ algorithm: ALGORITHM, jwksUrl, ...options }, {
      monotonic: () => state.nowMs,
    }),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await server.finished;
    },
  };
  return state;
}

const refused = { code: "UNAUTHORIZED" };
const unavailable = { code: "KEYS_UNAVAILABLE" };

Deno.test("key set: concurrent and later requests share one fetch and one import of the key", async () => {
  await using server = keyServer([await jwk(0)]);
  const token = await tokenOf(0);
  const { importKey } = crypto.subtle;
  let imports = 0;
  crypto.subtle.importKey = function (...args: unknown[]) {
    imports++;
    return Reflect.apply(importKey, crypto.subtle, args);
  } as typeof importKey;
  try {
    await Promise.all(Array.from({ length: 50 }, () => server.verify(token)));
    const atOnce = imports;
    for (let i = 0; i < 50; i++) await server.verify(token);
    assert.equal(imports, atOnce, "the key is imported by the first ones only");
  } finally {
    crypto.subtle.importKey = importKey;
  }
  assert.equal(server.fetches, 1);
});

Deno.test("key set: a new key is accepted after the cooldown, and a revoked key is refused", async () => {
  await using server = keyServer([await jwk(0)]);
  await server.verify(await tokenOf(0));
  server.keys = [await jwk(1)];
  await assert.rejects(server.verify(await tokenOf(1)), refused);
  assert.equal(server.fetches, 1, "within the cooldown nobody is asked");
  server.nowMs += COOLDOWN_MS;
  assert.equal((await server.verify(await tokenOf(1))).sub, "me");
  await assert.rejects(server.verify(await tokenOf(0)), refused);
  assert.equal(server.fetches, 2);
});

Deno.test("key set: a revoked key is refused once the maximum age has passed", async () => {
  await using server = keyServer([await jwk(0), await jwk(1)]);
  await server.verify(await tokenOf(0));
  server.keys = [await jwk(1)];
  server.nowMs += MAX_AGE_MS - 1;
  await server.verify(await tokenOf(0));
  assert.equal(server.fetches, 1);
  server.nowMs += 1;
  await assert.rejects(server.verify(await tokenOf(0)), refused);
  assert.equal(server.fetches, 2);
});

Deno.test("key set: a flood of unknown keys causes one fetch per cooldown", async () => {
  await using server = keyServer([await jwk(0)]);
  await server.verify(await tokenOf(0));
  for (let round = 1; round <= 3; round++) {
    server.nowMs += COOLDOWN_MS;
    const flood = await Promise.all(
      Array.from({ length: 40 }, (_, i) => tokenOf(1, `unknown ${i}`)),
    );
    const outcomes = await Promise.allSettled(flood.map(server.verify));
    assert(outcomes.every(({ status }) => status === "rejected"));
    await Promise.allSettled(flood.map(server.verify));
    assert.equal(server.fetches, 1 + round);
  }
});

Deno.test("key set: while the issuer is unreachable, known keys work and others are not called invalid", async () => {
  await using elsewhere = keyServer([await jwk(0), await jwk(1)]);
  const failures: NonNullable<KeyServer["answer"]>[] = [
    () => new Response("no", { status: 500 }),
    () => new Response("<html>"),
    () => Response.json({ keys: "none" }),
    () => Response.redirect(elsewhere.url),
    () => new Response(`{"keys":[],"pad":"${"x".repeat(1024 * 1024)}"}`),
  ];
  for (const answer of failures) {
    await using server = keyServer([await jwk(0)]);
    await server.verify(await tokenOf(0));
    server.answer = answer;
    server.nowMs += MAX_AGE_MS;
    for (let i = 0; i < 5; i++) await server.verify(await tokenOf(0));
    assert.equal(server.fetches, 2, "one try, then a pause");
    await assert.rejects(server.verify(await tokenOf(1)), unavailable);
    assert.equal(server.fetches, 2);
    server.nowMs += 23 * 3_600_000;
    await server.verify(await tokenOf(0));
    server.nowMs += 3_600_000;
    await assert.rejects(
      server.verify(await tokenOf(0)),
      unavailable,
      "nobody vouches for it any more",
    );
    server.answer = undefined;
    server.nowMs += 5_000;
    await server.verify(await tokenOf(0));
    await assert.rejects(server.verify(await tokenOf(1)), refused);
  }
});

Deno.test("key set: a first fetch that fails is retried soon", async () => {
  await using server = keyServer([await jwk(0)]);
  server.answer = () => new Response("no", { status: 503 });
  const token = await tokenOf(0);
  await assert.rejects(Promise.all([server.verify(token), server.verify(token)]), unavailable);
  await assert.rejects(server.verify(token), unavailable);
  assert.equal(server.fetches, 1);
  server.answer = undefined;
  server.nowMs += 5_000;
  assert.equal((await server.verify(token)).sub, "me");
});

Deno.test("key set: an issuer that hangs does not delay requests with a known key", async () => {
  await using server = keyServer([await jwk(0)]);
  await server.verify(await tokenOf(0));
  server.answer = () => new Response("no", { status: 500 });
  server.nowMs += MAX_AGE_MS;
  await server.verify(await tokenOf(0));
  const asked = Promise.withResolvers<void>();
  const hanging = Promise.withResolvers<Response>();
  server.answer = () => {
    asked.resolve();
    return hanging.promise;
  };
  server.nowMs += 5_000;
  await server.verify(await tokenOf(0)); // Does not wait for the fetch that it started.
  await asked.promise;
  hanging.resolve(Response.json({ keys: [await jwk(1)] }));
  await server.verify(await tokenOf(1)); // Waits for the fetch.
  assert.equal(server.fetches, 3);
});

Deno.test("key set: keys for other uses or of other types are ignored", async () => {
  const rsa = await generateKeyPair("RS256");
  const unfit: JWK[] = [
    await jwk(0, { use: "enc" }),
    await jwk(0, { alg: "ES384" }),
    await jwk(0, { key_ops: ["encrypt"] }),
    await jwk(0, { crv: "P-384" }),
    await jwk(0, { x: "AAAA" }),
    { kty: "EC", crv: "P-256", kid: "k0" },
    { kty: "oct", k: "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0", kid: "k0" },
    { ...await exportJWK(rsa.publicKey), kid: "k0" },
  ];
  for (const key of unfit) {
    await using server = keyServer([key]);
    await assert.rejects(server.verify(await tokenOf(0)), refused, JSON.stringify(key));
  }
});

Deno.test("key set: a token that names no key is accepted only if a single key matches", async () => {
  await using one = keyServer([await jwk(0, { kid: undefined })]);
  const token = await new SignJWT({ sub: "me" }).setProtectedHeader({ alg: ALGORITHM })
    .sign(pairs[0]!.privateKey);
  assert.equal((await one.verify(token)).sub, "me");
  await using several = keyServer([await jwk(0), await jwk(1)]);
  await assert.rejects(several.verify(token), { ...refused, message: /names no key/ });
});

Deno.test("key set: a token cannot supply its own key or the URL of one", async () => {
  await using server = keyServer([await jwk(0)]);
  await using attacker = keyServer([await jwk(1, { kid: "k0" })]);
  const header = {
    alg: ALGORITHM,
    kid: "k0",
    jwk: await jwk(1, { kid: "k0" }),
    jku: attacker.url,
    x5u: attacker.url,
  };
  const token = await new SignJWT({ sub: "me" }).setProtectedHeader(header as never)
    .sign(pairs[1]!.privateKey);
  await assert.rejects(server.verify(token), { ...refused, message: /signature/ });
  assert.equal(attacker.fetches, 0);
});
