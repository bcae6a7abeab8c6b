import assert from "node:assert/strict";
import { exportSPKI, generateKeyPair } from "jose";
import { checkConfig as check } from "../../testing/texts/config_check.ts";
import { tempFolder } from "../../testing/temp_file.ts";

// The configurations and variables in the tables of the user's deployment guide.

const SECRET = "hush-hush-hush-hush-hush-hush-hush";

Deno.test("variables are substituted in programs, too, and functions stay unchanged", async () => {
  const core = new URL("../../core/mod.ts", import.meta.url).href;
  await using folder = await tempFolder({
    "taskcast.config.ts": `
import { MemoryShortTermStore } from "${core}";
const store = new MemoryShortTermStore();
class Named { address = "\${NONE}"; }
const broadcast = { self: undefined, named: new Named(), ...methods() };
broadcast.self = broadcast;
function methods() { return { publish() {}, subscribe() {}, check() {}, close() {} }; }
export default {
  port: "\${PORT}",
  auth: { mode: "\${MODE:-jwt}", jwt: { secret: "\${SECRET}", issuer: ["\${ISSUER}"] } },
  sentry: { dsn: "\${EMPTY:-}", release: "$\${PORT}" },
  adapters: { broadcast, shortTerm: store },
};`,
    "missing.mjs": 'export default { port: "${NO_SUCH}" };',
  });
  const env = { PORT: "4000", SECRET, ISSUER: "us" };
  const { settings, errors } = await check(folder.path, [], env);
  assert.equal(errors, undefined);
  assert.deepEqual(
    ["port", "auth.mode", "auth.jwt.issuer", "sentry.release"].map((key) => settings[key]?.value),
    [4000, "jwt", ["us"], "${PORT}"],
  );
  assert.equal(settings["adapters.broadcast"]?.value, "(object with functions)");
  const missing = await check(folder.path, ["-c", "missing.mjs"]);
  assert.match(
    missing.errors!.join(),
    /^missing.mjs: port: the environment variable NO_SUCH is not/,
  );
});

// The rows of the user's deployment guide: variable, default, key, another value.
const GUIDE_VARIABLES: [env: string, usual: unknown, key: string, value: unknown][] = [
  ["TASKCAST_PORT", 3721, "port", 4000],
  ["TASKCAST_LOG_LEVEL", "info", "logLevel", "warn"],
  ["TASKCAST_AUTH_MODE", "none", "auth.mode", "jwt"],
  ["TASKCAST_JWT_SECRET", undefined, "auth.jwt.secret", SECRET],
  ["TASKCAST_JWT_ALGORITHM", "HS256", "auth.jwt.algorithm", "RS256"],
  ["TASKCAST_JWT_PUBLIC_KEY_FILE", undefined, "auth.jwt.publicKeyFile", "ec.pub"],
  ["TASKCAST_JWT_ISSUER", undefined, "auth.jwt.issuer", "https://us"],
  ["TASKCAST_JWT_AUDIENCE", undefined, "auth.jwt.audience", "taskcast"],
  ["TASKCAST_REDIS_URL", undefined, "adapters.shortTerm.url", "redis://h"],
  ["TASKCAST_POSTGRES_URL", undefined, "adapters.longTerm.url", "postgres://h/d"],
  ["SENTRY_DSN", undefined, "sentry.dsn", "https://a@h/1"],
];

/** Variables that a variable of the guide requires, such as the mode. */
const COMPANIONS: Record<string, Record<string, string>> = {
  TASKCAST_AUTH_MODE: { TASKCAST_JWT_SECRET: SECRET },
  TASKCAST_JWT_SECRET: { TASKCAST_AUTH_MODE: "jwt" },
  TASKCAST_JWT_ALGORITHM: { TASKCAST_AUTH_MODE: "jwt", TASKCAST_JWT_PUBLIC_KEY_FILE: "rsa.pub" },
  TASKCAST_JWT_PUBLIC_KEY_FILE: { TASKCAST_AUTH_MODE: "jwt", TASKCAST_JWT_ALGORITHM: "ES256" },
  TASKCAST_JWT_ISSUER: { TASKCAST_AUTH_MODE: "jwt", TASKCAST_JWT_SECRET: SECRET },
  TASKCAST_JWT_AUDIENCE: { TASKCAST_AUTH_MODE: "jwt", TASKCAST_JWT_SECRET: SECRET },
};

Deno.test("the guide's variables have the names, defaults and keys that it documents", async () => {
  const publicKey = async (alg: string) =>
    await exportSPKI((await generateKeyPair(alg, { extractable: true })).publicKey);
  await using folder = await tempFolder({
    "ec.pub": await publicKey("ES256"),
    "rsa.pub": await publicKey("RS256"),
    "custom.mjs": "export default { auth: { custom: () => null } };",
  });
  const jwt = { TASKCAST_AUTH_MODE: "jwt", TASKCAST_JWT_SECRET: SECRET };
  const [plain, signed] = await Promise.all([check(folder.path), check(folder.path, [], jwt)]);
  for (const [env, usual, key, value] of GUIDE_VARIABLES) {
    const isSecretItself = env === "TASKCAST_JWT_SECRET";
    const without = key.startsWith("auth.jwt") && !isSecretItself ? signed : plain;
    assert.equal(without.settings[key]?.value, usual, env);
    const set = await check(folder.path, [], { ...COMPANIONS[env], [env]: String(value) });
    assert.deepEqual(set.errors, undefined, env);
    assert.deepEqual(set.settings[key]?.source, { from: "env", name: env });
    const isHidden = isSecretItself || env === "SENTRY_DSN";
    assert.equal(set.settings[key]?.value, isHidden ? "••••••" : value, env);
  }
  const custom = await check(folder.path, ["-c", "custom.mjs"], { TASKCAST_AUTH_MODE: "custom" });
  assert.deepEqual([custom.ok, custom.settings["auth.mode"]?.value], [true, "custom"]);
});
