import assert from "node:assert/strict";
import { runInProcess } from "../../testing/servers/in_process.ts";
import { tempFolder } from "../../testing/temp_file.ts";
import { SECRET, WRONG } from "../../testing/texts/wrong_configurations.ts";

// Error messages about invalid configurations. Nothing is started.

/** Configurations that are wrong only as a combination of settings. */
const UNFIT: [yaml: string, errors: string[], env?: Record<string, string>][] = [
  ["port: ${NO_SUCH}\nlogLevel: loud", [
    "port: the environment variable NO_SUCH is not set; write ${NO_SUCH:-default} if it may be " +
    "missing",
    'logLevel: must be one of debug, info, warn, error, and is the text "loud"',
  ]],
  ["cors: { origin: [a, 'x${B'] }", [
    'cors.origin[1]: "${" must begin ${NAME} or ${NAME:-default}; write $${ for the characters',
  ]],
  ["port: ${P}", ['port: must be a whole number from 0 to 65535, and is the text "x"'], { P: "x" }],
  ["a: [1", [
    "cannot be read: line 1, column 6: Flow sequence in block collection must be sufficiently " +
    "indented and end with a ]",
  ]],
  ["port: 1\nport: 2", ["cannot be read: line 2, column 1: this key is there twice"]],
  ["port: !secret 1", ["cannot be read: line 1, column 7: Unresolved tag"]],
  ["cleanup: { rules: [{ target: all, trigger: { afterMs: 1 }, eventFilter: {} }] }", [
    'cleanup.rules[0].eventFilter: goes only with the target "events"',
  ]],
  ["cleanup: { rules: [{ target: all, trigger: { afterMs: 1e15 } }] }", [
    "cleanup.rules[0].trigger.afterMs: must be an integer from 0 to 315360000000",
  ]],
  [
    "cleanup: { rules: [{ target: all, trigger: { afterMs: 1 }, match: { taskTypes: ['l*m'] } }] }",
    [
      'cleanup.rules[0].match.taskTypes[0]: must be a type, "*", or end with ".*"',
    ],
  ],
  ["adapters: { shortTerm: { provider: redis } }", [
    "adapters.broadcast.url: is missing; redis needs it, or TASKCAST_REDIS_URL",
    "adapters.shortTerm.url: is missing; redis needs it, or TASKCAST_REDIS_URL",
  ]],
  ["auth: { mode: jwt }", ["auth.mode: jwt needs auth.jwt.secret or TASKCAST_JWT_SECRET"]],
  [`auth: { jwt: { secret: ${SECRET} } }`, ["auth.jwt needs auth.mode: jwt"]],
  [`trustedServices: { a: { key: ${SECRET}, taskIds: [t] } }`, [
    "trustedServices.a: scope and taskIds need auth.mode: jwt or custom; without authentication " +
    "everybody may do everything",
  ]],
  ["auth: { mode: custom }", [
    "auth.mode: custom needs a function: auth.custom of a configuration in TypeScript or JavaScript",
  ]],
  ["auth: { mode: jwt, jwt: { algorithm: RS256 } }", [
    "auth.jwt.algorithm: RS256 needs auth.jwt.publicKey, publicKeyFile or jwksUrl, or " +
    "TASKCAST_JWT_PUBLIC_KEY_FILE",
  ]],
  [`auth: { mode: jwt, jwt: { algorithm: RS256, secret: ${SECRET} } }`, [
    "auth.jwt.secret: RS256 takes a public key, not a secret",
  ]],
  ["auth: { mode: jwt, jwt: { publicKey: x } }", [
    "auth.jwt.publicKey: HS256 takes a secret, not a public key; set the algorithm of the key",
  ]],
  ["auth: { mode: jwt, jwt: { algorithm: ES256, publicKey: x } }", [
    "auth.jwt.publicKey: what is there is not a public key for ES256, as PEM (SPKI) or JWK",
  ]],
  ["auth: { mode: jwt, jwt: { algorithm: ES256, publicKeyFile: /no/such.pub } }", [
    "auth.jwt.publicKeyFile: there is no file /no/such.pub",
  ]],
  ["auth: { mode: jwt, jwt: { algorithm: ES256, publicKey: '-----BEGIN PRIVATE KEY-----' } }", [
    "auth.jwt.publicKey: what is there is a private key, which only the signer of tokens " +
    "needs; set the public key",
  ]],
  ["limits: { rateLimit: { burst: 10 } }", [
    "limits.rateLimit.requestsPerSecond: is missing, so nothing is limited",
  ]],
  ["limits: { rateLimit: {} }", [
    "limits.rateLimit.requestsPerSecond: is missing, so nothing is limited",
  ]],
  ["cors: { credentials: true }", ["cors.origin: is missing, so cors allows nobody"]],
  ["cors: { origin: '*', credentials: true }", [
    'cors.credentials: cannot be true while cors.origin is "*"',
  ]],
  ["cors: { origin: '*', allowedHeaders: [x-ok, 'x y', '*'] }", [
    'cors.allowedHeaders: "x y" is not the name of a header',
    'cors.allowedHeaders: "*" is not the name of a header; name each of them',
  ]],
  ["cors: { origin: ['https://a', 'https://b/', 'https://*.c'] }", [
    'cors.origin: "https://b/" must be an origin, such as https://b, without a path or a ' +
    "slash at its end",
    'cors.origin: "https://*.c" must name one host: "*" stands for all only by itself',
  ]],
  ["adapters: { shortTerm: { provider: ./x.ts } }", [
    "adapters.broadcast: is missing; only built-in adapters can play both roles, so name it as well",
  ]],
];

/** Conflicts between the environment and a file. */
const CLASHES: [yaml: string, errors: string[], env: Record<string, string>][] = [
  ["{}", [
    "TASKCAST_AUTH_MODE=custom needs a function: auth.custom of a configuration in " +
    "TypeScript or JavaScript",
  ], { TASKCAST_AUTH_MODE: "custom" }],
  ["{}", [
    'TASKCAST_CORS: "https://b/" must be an origin, such as https://b, without a path or ' +
    "a slash at its end",
  ], { TASKCAST_CORS: "https://a,https://b/" }],
  ["adapters: { shortTerm: { provider: sqlite } }", [
    "A Redis address needs --storage redis or TASKCAST_STORAGE=redis, and the storage in FILE is " +
    '"sqlite"',
  ], { TASKCAST_REDIS_URL: "redis://h" }],
  ["adapters: { shortTerm: { provider: sqlite } }", [
    'TASKCAST_MAX_MEMORY needs the storage memory, and the storage in FILE is "sqlite"',
  ], { TASKCAST_MAX_MEMORY: "64" }],
  ["adapters: { longTerm: { provider: sqlite } }", [
    "TASKCAST_POSTGRES_URL has no effect: adapters.longTerm of FILE is not postgres",
  ], { TASKCAST_POSTGRES_URL: "postgres://h/d" }],
  ["adapters: { longTerm: { provider: postgres, url: 'postgres://h/d' } }", [
    "TASKCAST_POSTGRES_LISTEN_URL needs wake-ups on PostgreSQL: --storage postgres or " +
    "TASKCAST_STORAGE=postgres",
  ], { TASKCAST_POSTGRES_LISTEN_URL: "postgres://h/d" }],
  ["port: 1", ["TASKCAST_JWT_ISSUER needs TASKCAST_AUTH_MODE=jwt"], { TASKCAST_JWT_ISSUER: "me" }],
  ["port: 1", ["TASKCAST_RATE_BURST needs TASKCAST_RATE_LIMIT"], { TASKCAST_RATE_BURST: "10" }],
  ["port: 1", [
    'TASKCAST_LOG_FORMAT must be one of pretty, json, and is "xml"',
    'TASKCAST_TRUST_PROXY must be a number from 0 to 10, and is "true"',
    'TASKCAST_RATE_LIMIT must be a number from 1 to 1000000, and is "fast"',
    'TASKCAST_RATE_BURST must be a number from 1 to 1000000, and is "0"',
    'TASKCAST_MAX_STREAMS must be a number from 1 to 9999999, and is "-1"',
    'TASKCAST_MAX_STREAMS_PER_CREDENTIAL must be a number from 1 to 9999999, and is "1.5"',
  ], {
    TASKCAST_LOG_FORMAT: "xml",
    TASKCAST_TRUST_PROXY: "true", // The number of proxies is missing.
    TASKCAST_RATE_LIMIT: "fast",
    TASKCAST_RATE_BURST: "0",
    TASKCAST_MAX_STREAMS: "-1",
    TASKCAST_MAX_STREAMS_PER_CREDENTIAL: "1.5",
  }],
  ["port: x", [
    'TASKCAST_PORT must be a number from 0 to 65535, and is "y"',
    'TASKCAST_AUTO_MIGRATE must be true or false, and is "maybe"',
    'FILE: port: must be a whole number from 0 to 65535, and is the text "x"',
  ], { TASKCAST_PORT: "y", TASKCAST_AUTO_MIGRATE: "maybe" }],
];

Deno.test("all errors of a configuration are reported at once, in a line each, without secrets", async () => {
  await using folder = await tempFolder();
  const all = [
    ...[...WRONG, ...UNFIT].map(([yaml, errors, env], i) =>
      [i, yaml, errors.map((line) => `FILE: ${line}`), env] as const
    ),
    ...CLASHES.map(([yaml, errors, env], i) => [100 + i, yaml, errors, env] as const),
  ];
  for (let begin = 0; begin < all.length; begin += 4) {
    await Promise.all(
      all.slice(begin, begin + 4).map(async ([i, yaml, errors, env]) => {
        const name = `case_${i}.yaml`;
        await Deno.writeTextFile(`${folder.path}/${name}`, yaml);
        const { code, out, err } = await runInProcess(
          ["config", "check", "-c", name],
          env,
          folder.path,
        );
        const expected = errors.map((line) => `error: ${line.replace("FILE", name)}\n`).join("");
        assert.equal(err, expected, yaml);
        assert.deepEqual([code, out], [1, ""]);
        assert(!err.includes(SECRET) && !err.includes("swordfish") && !err.includes("12345"));
      }),
    );
  }
});

Deno.test("missing, unknown and broken files are reported in one clear line", async () => {
  await using folder = await tempFolder({
    "a.toml": "port = 1",
    "a.json": '{"port": 1,\n "secret": "hush" "x"}',
    "b.json": '{"port": 1, "port": 2}',
    "c.json": '{"port": 1,\n}',
    "d.json": '{"cors": {"origin": ["a",]}}',
    "e.json": "{port: 1}",
    "none.ts": "export const port = 1;",
    "throws.mjs": "throw new Error('no such vault\\nat line 7')",
    "typo.ts": "export default { prot: 1 };",
    "hook.js": "export default { hooks: { onTaskFialed() {} } };",
    "adapter.js": "export default { adapters: { shortTerm: new Map() } };",
  });
  const cases: [string, string][] = [
    ["no.yaml", "There is no configuration file no.yaml"],
    [
      "a.toml",
      "a.toml: a configuration file must end with one of .ts, .js, .mjs, .yaml, .yml, .json",
    ],
    ["a.json", 'a.json: cannot be read: line 2, column 19: "," or "}" is expected here'],
    ["b.json", "b.json: cannot be read: line 1, column 13: this key is there twice"],
    ["c.json", 'c.json: cannot be read: line 2, column 1: a comma before "}" is not JSON'],
    ["d.json", 'd.json: cannot be read: line 1, column 26: a comma before "]" is not JSON'],
    ["e.json", "e.json: cannot be read: line 1, column 2: a key in double quotes is expected here"],
    ["none.ts", "none.ts: cannot be read: it has no default export"],
    ["throws.mjs", "throws.mjs: cannot be read: no such vault"],
    ["typo.ts", 'typo.ts: prot: there is no such key; did you mean "port"?'],
    [
      "hook.js",
      "hook.js: hooks: must be an object of functions: onTaskCreated, onTaskTransitioned, " +
      "onTaskFailed, onTaskTimeout, onWebhookFailed, onUnhandledError, and is an object",
    ],
    [
      "adapter.js",
      "adapter.js: adapters.shortTerm: must be an object { provider, … }, or in TypeScript and " +
      "JavaScript an adapter, and is an object",
    ],
  ];
  await Promise.all(cases.map(async ([name, line]) => {
    for (const args of [["--config", name], ["config", "check", "-c", name]]) {
      const { code, err } = await runInProcess(args, {}, folder.path);
      assert.deepEqual({ code, err }, { code: 1, err: `error: ${line}\n` });
    }
  }));
});

Deno.test("config check refuses the addresses that start refuses, and names the setting", async () => {
  const env = {
    TASKCAST_REDIS_URL: "redis://:secret@localhost?famly=6",
    TASKCAST_POSTGRES_URL: "postgres://u:secret@localhost/db?schema=public&sslmod=require",
  };
  const { code, out, err } = await runInProcess(["config", "check"], env);
  assert.equal(code, 1);
  assert.match(
    err + out,
    /redis: the address has the parameter "famly", which is not known: did you/,
  );
  assert.match(err + out, /postgres: the address has the parameter "sslmod", which is not known/);
  assert(!(err + out).includes("secret"), err + out);
});
