import assert from "node:assert/strict";
import { CONFIG_FILES } from "../../cli/config/file/find_file.ts";
import { flagNames } from "../../cli/config/explicit.ts";
import { CONFIG_KEYS, ENVIRONMENT_KEYS } from "../../cli/config/schema/keys.ts";
import { runCli } from "../../testing/servers/cli.ts";
import { runInProcess } from "../../testing/servers/in_process.ts";
import type { ConfigCheck } from "../../testing/texts/config_check.ts";
import { checkConfig as check } from "../../testing/texts/config_check.ts";
import { tempFolder } from "../../testing/temp_file.ts";
import { WRONG } from "../../testing/texts/wrong_configurations.ts";

// The keys of a configuration file and the precedence of its sources; tests/config/errors_test.ts
// covers invalid ones. Nothing is started here; tests/config/start_test.ts does that.

const SECRET = "hush-hush-hush-hush-hush-hush-hush";

Deno.test("the first file of the list is read, and the log names the others", async () => {
  const texts = CONFIG_FILES.map((name, i) =>
    [
      name,
      /[jt]s$/.test(name) ? `export default { port: ${i + 1} }` : `{"port": ${i + 1}}`,
    ] as const
  );
  assert.deepEqual(CONFIG_FILES.map((name) => name.replace("taskcast.config.", "")), [
    "ts",
    "js",
    "mjs",
    "yaml",
    "yml",
    "json",
  ]);
  await using folder = await tempFolder(Object.fromEntries(texts));
  for (const [i, name] of CONFIG_FILES.entries()) {
    const { out, err } = await runInProcess(["config", "check"], {}, folder.path);
    assert.match(out, new RegExp(`^port +${i + 1} +${name}\\n`));
    const others = CONFIG_FILES.slice(i + 1)
      .map((other) => `${other} is not read, since ${name} is there\n`).join("");
    assert.equal(err, `${others}${name}: all is well\n`);
    await Deno.remove(`${folder.path}/${name}`);
  }
  assert.equal((await check(folder.path)).file, null);
});

const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
  "sign",
  "verify",
]) as CryptoKeyPair;
const spki = new Uint8Array(await crypto.subtle.exportKey("spki", keys.publicKey));
const pem = `-----BEGIN PUBLIC KEY-----\n${spki.toBase64()}\n-----END PUBLIC KEY-----\n`;

/** Settings that can be combined: those of the file, the environment and the flags. */
const GROUPS: Record<
  string,
  [
    path: string,
    provider: string | undefined,
    file: unknown,
    env: string,
    flag?: string,
    listed?: string,
  ]
>[] = [
  {
    port: ["port", undefined, 1, "2", "3"],
    host: ["host", undefined, "a", "b", "c"],
    short: ["allowShortSecrets", undefined, false, "true", ""],
    hosts: ["allowHosts", undefined, "x", "y", "z"],
    logLevel: ["logLevel", undefined, "debug", "warn", "error"],
    logFormat: ["logFormat", undefined, "pretty", "json", "pretty"],
    listener: ["listener", undefined, "deno", "node", "deno"],
    trustProxy: ["trustProxy", undefined, 1, "2"],
    rate: ["limits.rateLimit.requestsPerSecond", undefined, 1, "2"],
    burst: ["limits.rateLimit.burst", undefined, 1, "2"],
    streams: ["limits.maxStreams", undefined, 1, "2"],
    own: ["limits.maxStreamsPerCredential", undefined, 1, "2"],
    connections: ["limits.maxConnections", undefined, 1, "2"],
    ofAddress: ["limits.maxConnectionsPerAddress", undefined, 1, "2"],
    mode: ["auth.mode", undefined, "custom", "jwt"],
    secret: ["auth.jwt.secret", undefined, "s1", "s2"],
    algorithm: ["auth.jwt.algorithm", undefined, "ES256", "HS256"],
    issuer: ["auth.jwt.issuer", undefined, "i1", "i2"],
    audience: ["auth.jwt.audience", undefined, "a1", "a2"],
    scopeClaim: ["auth.jwt.claims.scope", undefined, "s1", "s2"],
    taskIdsClaim: ["auth.jwt.claims.taskIds", undefined, "t1", "t2"],
    prefix: ["auth.jwt.claims.prefix", undefined, "p1", "p2"],
    ignored: ["ignoredParameters", undefined, ["a"], "b, c,"],
    cors: ["cors.origin", undefined, "https://a", "https://b", "https://c"],
    dsn: ["sentry.dsn", undefined, "https://a@h/1", "https://b@h/2"],
    memory: ["adapters.*.maxBytes", "memory", 1048576, "2", "3", "shortTerm"],
  },
  {
    key: ["auth.jwt.publicKeyFile", undefined, "first.pub", "second.pub"],
    sqlite: ["adapters.*.path", "sqlite", "a.db", "b.db", "c.db", "broadcast"],
    storage: ["adapters.*.provider", undefined, "sqlite", "sqlite", "sqlite", "shortTerm"],
  },
  {
    redis: ["adapters.*.url", "redis", "redis://a", "redis://b", "redis://c", "broadcast"],
    postgres: [
      "adapters.*.url",
      "postgres",
      "postgres://a",
      "postgres://b",
      "postgres://c",
      "longTerm",
    ],
    migrate: ["adapters.*.autoMigrate", "postgres", true, "false", "", "longTerm"],
  },
  {
    listen: [
      "adapters.*.listenUrl",
      "postgres",
      "postgres://a",
      "postgres://b",
      "postgres://c",
      "broadcast",
    ],
  },
];

Deno.test("command line before environment before file before default, for every setting", async () => {
  const covered = GROUPS.flatMap((group) => Object.values(group))
    .map(([path, provider]) => `${path} ${provider}`);
  for (const { path, provider } of ENVIRONMENT_KEYS) {
    assert(covered.includes(`${path} ${provider}`), path);
  }

  const bases = [
    { auth: { custom: "FUNCTION" }, adapters: { broadcast: { provider: "memory" } } },
    {
      auth: { mode: "jwt", jwt: { algorithm: "ES256" } },
      adapters: { broadcast: { provider: "sqlite" }, shortTerm: { provider: "sqlite" } },
    },
    {
      adapters: {
        broadcast: { provider: "redis" },
        longTerm: { provider: "postgres" },
      },
    },
    { adapters: { broadcast: { provider: "postgres", url: "postgres://h/d" } } },
  ];
  for (const [i, group] of GROUPS.entries()) {
    // deno-lint-ignore no-explicit-any
    const file: any = bases[i];
    const env: Record<string, string> = {};
    const flags: string[] = [];
    const expected: [key: string, flag: boolean][] = [];
    for (const [path, provider, inFile, inEnv, flag, role] of Object.values(group)) {
      const setting = ENVIRONMENT_KEYS.find((one) =>
        one.path === path && one.provider === provider
      )!;
      const names = path.replace("*", role ?? "*").split(".");
      let at = file;
      for (const name of names.slice(0, -1)) at = at[name] ??= {};
      at[names.at(-1)!] = inFile;
      env[setting.env] = inEnv;
      if (flag !== undefined) {
        flags.push(flagNames(setting.flag!.usage).name, ...(flag === "" ? [] : [flag]));
      }
      assert.equal(setting.flag === undefined, flag === undefined, path);
      expected.push([names.join("."), flag !== undefined]);
    }
    if (i === 0) file.adapters.shortTerm.provider = "memory";
    // The file says "custom", which needs no keys, so they come from the environment only.
    if (i === 0) file.auth.jwt = undefined;
    const text = `export default ${JSON.stringify(file).replace('"FUNCTION"', "() => null")}`;
    await using folder = await tempFolder({
      "taskcast.config.js": text,
      "first.pub": pem,
      "second.pub": pem,
    });
    const [fromFile, fromEnv, fromFlags] = await Promise.all([
      check(folder.path),
      check(folder.path, [], env),
      check(folder.path, flags, env),
    ]);
    for (const one of [fromFile, fromEnv, fromFlags]) assert(one.ok, JSON.stringify(one.errors));
    for (const [key, hasFlag] of expected) {
      if (!(i === 0 && key.startsWith("auth.jwt"))) {
        assert.equal(fromFile.settings[key]?.source.from, "file", key);
      }
      assert.equal(fromEnv.settings[key]?.source.from, "env", key);
      assert.equal(fromFlags.settings[key]?.source.from, hasFlag ? "flag" : "env", key);
    }
    const valueOf = (one: ConfigCheck, key: string) => one.settings[key]?.value;
    if (i === 0) {
      assert.deepEqual([fromFile, fromEnv, fromFlags].map((one) => valueOf(one, "port")), [
        1,
        2,
        3,
      ]);
      assert.deepEqual(
        [fromFile, fromEnv, fromFlags].map((one) => valueOf(one, "adapters.shortTerm.maxBytes")),
        [1, 2, 3].map((mebibytes) => mebibytes * 1024 * 1024),
      );
      for (
        const key of [
          "trustProxy",
          "limits.rateLimit.requestsPerSecond",
          "limits.rateLimit.burst",
          "limits.maxStreams",
          "limits.maxStreamsPerCredential",
        ]
      ) {
        assert.deepEqual([fromFile, fromEnv].map((one) => valueOf(one, key)), [1, 2], key);
      }
      assert.deepEqual(
        [fromFile, fromEnv, fromFlags].map((one) => valueOf(one, "logFormat")),
        ["pretty", "json", "pretty"],
      );
      assert.equal(valueOf(fromEnv, "auth.mode"), "jwt");
      assert.equal(valueOf(fromEnv, "auth.jwt.claims.scope"), "s2");
      assert.deepEqual(valueOf(fromEnv, "ignoredParameters"), ["b", "c"]);
      assert.equal(valueOf(fromEnv, "auth.jwt.secret"), "••••••");
      assert.match(
        fromEnv.warnings.join(),
        /auth.custom of .* is not used: TASKCAST_AUTH_MODE is jwt/,
      );
    }
    if (i === 1) {
      assert.equal(valueOf(fromFile, "adapters.broadcast.path"), `${folder.path}/a.db`);
      assert.equal(valueOf(fromFlags, "adapters.shortTerm.path"), "c.db");
    }
    if (i === 2) {
      assert.equal(valueOf(fromEnv, "adapters.longTerm.autoMigrate"), false);
      assert.equal(valueOf(fromFlags, "adapters.shortTerm.url"), "redis://c");
      assert.equal(valueOf(fromFlags, "adapters.longTerm.url"), "postgres://c");
    }
  }
});

Deno.test("keys in the environment replace every kind of key in the file", async () => {
  await using folder = await tempFolder({
    "taskcast.config.yaml":
      "auth: { mode: jwt, jwt: { algorithm: ES256, jwksUrl: https://issuer/keys } }",
    "jwt.pub": pem,
  });
  const { settings } = await check(folder.path, [], { TASKCAST_JWT_PUBLIC_KEY_FILE: "jwt.pub" });
  assert.equal(settings["auth.jwt.publicKeyFile"]?.value, "jwt.pub");
  assert.equal(settings["auth.jwt.jwksUrl"], undefined);
  const open = await check(folder.path, [], { TASKCAST_AUTH_MODE: "none" });
  assert.deepEqual(open.warnings, [
    "auth.jwt of taskcast.config.yaml is not used: TASKCAST_AUTH_MODE is none",
  ]);
});

Deno.test("issuer and audience may be lists; defaults of limits and keys are shown", async () => {
  await using folder = await tempFolder({
    "taskcast.config.yaml": `
auth:
  mode: jwt
  jwt: { secret: ${SECRET}, issuer: [us, "\${OTHER}"], audience: [a, b] }
`,
  });
  const { settings } = await check(folder.path, [], {
    OTHER: "them",
    TASKCAST_JWT_AUDIENCE: "c",
    TASKCAST_TRUST_PROXY: "false",
  });
  const of = (key: string) => settings[key] && [settings[key].value, settings[key].source.from];
  assert.deepEqual(of("auth.jwt.issuer"), [["us", "them"], "file"]);
  assert.deepEqual(of("auth.jwt.audience"), ["c", "env"]);
  assert.deepEqual(of("auth.jwt.jwksMaxAgeMs"), [600_000, "default"]);
  assert.deepEqual(of("limits.maxStreams"), [10_000, "default"]);
  assert.deepEqual(of("trustProxy"), [0, "env"]);
  assert.equal(of("limits.rateLimit.requestsPerSecond"), undefined);
});

Deno.test("variables are substituted after parsing, and only in texts", async () => {
  await using folder = await tempFolder({
    "taskcast.config.yaml": `
port: \${PORT}
host: "\${HOST}-\${NONE:-x}-$\${HOST}-$HOST"
sentry: { dsn: "\${EMPTY:-}", includePayloads: "\${YES}", release: "\${TRICKY}" }
engine: { heartbeatMs: "\${NONE:-2500}" }
`,
  });
  const { settings, errors } = await check(folder.path, [], {
    PORT: "4000",
    HOST: "h",
    YES: "true",
    TRICKY: '"} , port: 5 \n ${HOST}',
  });
  assert.equal(errors, undefined);
  assert.deepEqual(
    ["port", "host", "sentry.includePayloads", "sentry.release", "engine.heartbeatMs"]
      .map((key) => settings[key]?.value),
    [4000, "h-x-${HOST}-$HOST", true, '"} , port: 5 \n ${HOST}', 2500],
  );
});

Deno.test("a program's own objects are not changed, whatever overrides them", async () => {
  await using folder = await tempFolder({
    "taskcast.config.mjs": `
const frozen = (value) => {
  if (typeof value === "object" && value !== null) Object.values(value).forEach(frozen);
  return Object.freeze(value);
};
export default frozen({
  port: 1,
  auth: { mode: "jwt", jwt: { publicKeyFile: "./jwt.pub", algorithm: "ES256", claims: {} } },
  adapters: {
    shortTerm: { provider: "sqlite", path: "a.db" },
    longTerm: { provider: "postgres", url: "postgres://h/d" },
  },
  cors: { origin: ["https://a"] },
  limits: { rateLimit: { requestsPerSecond: 1 } },
  sentry: {},
});`,
    "own.pub": pem,
  });
  const env = {
    TASKCAST_JWT_PUBLIC_KEY_FILE: "own.pub",
    TASKCAST_JWT_SCOPE_PREFIX: "p",
    TASKCAST_SQLITE_PATH: "b.db",
    TASKCAST_POSTGRES_URL: "postgres://other/d",
    TASKCAST_RATE_BURST: "5",
    SENTRY_DSN: "https://a@h/1",
  };
  const { settings, errors } = await check(folder.path, ["--cors", "https://b"], env);
  assert.equal(errors, undefined);
  assert.deepEqual(
    [
      "auth.jwt.publicKeyFile",
      "auth.jwt.claims.prefix",
      "adapters.shortTerm.path",
      "adapters.longTerm.url",
      "limits.rateLimit.burst",
      "cors.origin",
    ].map((key) => settings[key]?.value),
    ["own.pub", "p", "b.db", "postgres://other/d", 5, "https://b"],
  );
});

Deno.test("config check shows each setting and its source, and no secret", async () => {
  await using folder = await tempFolder({
    "taskcast.config.yaml": `
auth: { mode: jwt, jwt: { secret: ${SECRET} } }
trustedServices: { billing: ${SECRET}, reader: { key: ${SECRET}, scope: [event:history] } }
ticketSecret: ${SECRET}
sentry: { dsn: https://${SECRET.replaceAll("-", "")}@h/1 }
adapters:
  broadcast: { provider: redis, url: "redis://user:${SECRET}@h:1/2" }
  shortTerm: { provider: "npm:my-store", apiKey: ${SECRET}, size: 5, dsn: "x://u:${SECRET}@h" }
  longTerm: { provider: postgres, url: "postgres://h/d?user=u&password=${SECRET}" }
`,
  });
  const { code, out, err } = await runInProcess(["config", "check"], {
    TASKCAST_POSTGRES_URL: "",
    TASKCAST_PORT: "1",
  }, folder.path);
  assert.deepEqual({ code, err }, { code: 0, err: "taskcast.config.yaml: all is well\n" });
  const rows = out.trimEnd().split("\n").map((line) => line.split(/ {2,}/));
  const row = (key: string) => rows.find(([name]) => name === key)?.slice(1);
  assert.deepEqual(row("port"), ["1", "TASKCAST_PORT"]);
  assert.deepEqual(row("host"), ["0.0.0.0", "default"]);
  const file = "taskcast.config.yaml";
  for (
    const key of [
      "auth.jwt.secret",
      "trustedServices.billing",
      "trustedServices.reader.key",
      "ticketSecret",
      "sentry.dsn",
    ]
  ) {
    assert.deepEqual(row(key), ["••••••", file]);
  }
  assert.deepEqual(row("adapters.broadcast.url"), ["redis://user:••••••@h:1/2", file]);
  assert.deepEqual(row("adapters.shortTerm.apiKey"), ["••••••", file]);
  assert.deepEqual(row("adapters.shortTerm.size"), ["5", file]);
  assert.deepEqual(row("adapters.longTerm.url"), ["postgres://h/d?user=u&password=••••••", file]);
  assert(!out.includes(SECRET));

  const colored = await runCli(
    ["config", "check"],
    { NO_COLOR: "", FORCE_COLOR: "1" },
    folder.path,
  );
  // deno-lint-ignore no-control-regex
  assert.match(colored.out, /\x1b\[36mport/);
  const json = await runInProcess(["config", "check", "--json"], {}, folder.path);
  assert(!json.out.includes(SECRET));
  await Deno.writeTextFile(`${folder.path}/wrong.yaml`, "prot: 1\nlogLevel: x");
  assert.deepEqual((await check(folder.path, ["-c", "wrong.yaml"])).errors?.length, 2);
});

Deno.test("the JSON Schema accepts and refuses the same files as the program", async () => {
  const { Ajv } = await import("ajv");
  const { readYaml } = await import("../../cli/config/file/read_yaml.ts");
  const { out, code } = await runCli(["config", "schema"]);
  assert.equal(code, 0);
  const file = new URL("../../docs/reference/taskcast.config.schema.json", import.meta.url);
  assert.deepEqual(JSON.parse(out), JSON.parse(await Deno.readTextFile(file)));
  const valid = new Ajv({ strict: false }).compile(JSON.parse(out));
  // For the schema this is the name of a package; only the program recognizes the misspelling.
  const misspelt = /provider: rediss /;
  for (const [yaml] of WRONG) assert(misspelt.test(yaml) || !valid(readYaml(yaml)), yaml);
  const guide = (name: string) =>
    Deno.readTextFile(new URL(`../docs/guide/${name}`, import.meta.url)).then(readYaml);
  const right = [
    await guide("taskcast.config.yaml"),
    await guide("minimal.yaml"),
    readYaml('$schema: x\nport: "${PORT}"\nlogLevel: "${LEVEL:-info}"\ncors: { origin: [a, b] }'),
    readYaml("adapters: { shortTerm: { provider: ./x.ts, any: [1] } }"),
    readYaml("adapters: { shortTerm: { provider: my-redis, any: [1] } }"),
    {},
  ];
  for (const config of right) assert(valid(config), JSON.stringify(valid.errors));
});

Deno.test("the documentation lists every key and every variable", async () => {
  const text = await Deno.readTextFile(
    new URL("../../docs/reference/configuration.md", import.meta.url),
  );
  for (const { path } of CONFIG_KEYS) assert(text.includes(`\`${path}\``), path);
  for (const { env } of ENVIRONMENT_KEYS) assert(text.includes(`\`${env}\``), env);
  const { out } = await runInProcess(["config", "schema"]);
  for (const name of Object.keys(JSON.parse(out).properties)) {
    assert(
      name === "$schema" || CONFIG_KEYS.some(({ path }) => path.split(/[.[]/)[0] === name),
      name,
    );
  }
});
