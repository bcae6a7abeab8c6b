import assert from "node:assert/strict";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import postgres from "postgres";
import { exportSPKI, generateKeyPair, SignJWT } from "jose";
import { runCli, startCli } from "../../testing/servers/cli.ts";
import { checkConfig } from "../../testing/texts/config_check.ts";
import { postgresUrl } from "../../testing/databases/postgres_server.ts";
import { redisUrl } from "../../testing/databases/redis_server.ts";
import { startSentryEndpoint } from "../../testing/servers/sentry_endpoint.ts";
import { until } from "../../testing/sse/sse.ts";
import { tempFolder } from "../../testing/temp_file.ts";

// Servers that are started with a configuration file.

const LOCAL = ["--host", "127.0.0.1"];
const redis = (await redisUrl())!;
const pg = (await postgresUrl())!;
const test = redis === undefined || pg === undefined ? () => {} : Deno.test;

type Key = Parameters<SignJWT["sign"]>[0];

async function signed(
  alg: string,
  key: Key,
  claims: Record<string, unknown> = {},
): Promise<string> {
  return await new SignJWT({ taskIds: "*", scope: ["*"], ...claims }).setProtectedHeader({ alg })
    .sign(key);
}

async function statusFor(url: string, token: string): Promise<number> {
  const response = await fetch(`${url}/tasks`, { headers: { authorization: `Bearer ${token}` } });
  await response.body?.cancel();
  return response.status;
}

for (const alg of ["HS256", "RS256", "ES256", "ES384", "ES512", "EdDSA"]) {
  Deno.test(`start: tokens signed with ${alg}, set up by a file and by the environment`, async () => {
    const secret = "a secret of more than thirty-two bytes";
    const isSecret = alg === "HS256";
    const pair = isSecret ? undefined : await generateKeyPair(alg, { extractable: true });
    const other = isSecret ? undefined : await generateKeyPair(alg);
    const key = pair?.privateKey ?? new TextEncoder().encode(secret);
    await using folder = await tempFolder({
      "keys.yaml": `auth: { mode: jwt, jwt: { algorithm: ${alg}, issuer: me, audience: us, ${
        isSecret ? `secret: ${secret}` : "publicKeyFile: ./jwt.pub"
      } } }`,
      ...(pair === undefined ? {} : { "jwt.pub": await exportSPKI(pair.publicKey) }),
    });
    const setUps: [string[], Record<string, string>][] = [
      [["-c", `${folder.path}/keys.yaml`], {}],
      [[], {
        TASKCAST_AUTH_MODE: "jwt",
        TASKCAST_JWT_ALGORITHM: alg,
        TASKCAST_JWT_ISSUER: "me",
        TASKCAST_JWT_AUDIENCE: "us",
        ...(isSecret
          ? { TASKCAST_JWT_SECRET: secret }
          : { TASKCAST_JWT_PUBLIC_KEY_FILE: "jwt.pub" }),
      }],
    ];
    for (const [args, env] of setUps) {
      // A file's path is relative to the file, the environment's to the working folder.
      const at = args.length > 0 ? "/" : folder.path;
      await using server = await startCli([...LOCAL, ...args], env, at);
      const claims = { iss: "me", aud: "us" };
      assert.equal(await statusFor(server.url, await signed(alg, key, claims)), 200);
      assert.equal(await statusFor(server.url, await signed(alg, key)), 401);
      const wrong = other?.privateKey ?? new TextEncoder().encode("x".repeat(40));
      assert.equal(await statusFor(server.url, await signed(alg, wrong, claims)), 401);
    }
  });
}

Deno.test("start: a program's function, adapter and hooks, returned by a promise of a function", async () => {
  const core = new URL("../../core/mod.ts", import.meta.url).href;
  await using folder = await tempFolder({
    "taskcast.config.ts": `
      import { MemoryShortTermStore } from "${core}";
      interface Wanted { user: string }
      class MyStore extends MemoryShortTermStore {}
      export default async () => ({
        port: 0,
        auth: {
          mode: "custom" as const,
          custom: (request: Request) => request.headers.get("x-user") === ("ann" satisfies Wanted["user"])
            ? { sub: "ann", taskIds: "*", scope: ["*"] } : null,
        },
        adapters: { broadcast: { provider: "memory" }, shortTerm: new MyStore() },
        limits: { maxEventBytes: 100, maxBodyBytes: 1000, maxTaskBytes: undefined },
        engine: { heartbeatMs: 1234 },
        trustedServices: { billing: "0123456789abcdef" },
        sentry: { dsn: undefined },
        hooks: { onTaskCreated: (task: { id: string }) => console.error("hook of", task.id) },
      });`,
    "taskcast.config.json": "{}",
  });
  await using server = await startCli(LOCAL, {}, folder.path);
  const { process, url } = server;
  assert.match(process.err, /storage: MyStore, wake-ups: memory, auth: custom\)/);
  assert.match(process.err, /info {2}configuration: taskcast.config.ts\n/);
  assert.match(
    process.err,
    /info {2}taskcast.config.json is not read, since taskcast.config.ts is/,
  );
  assert.match(process.err, /info {2}Sentry is off: it has no DSN\n/);
  const post = async (path: string, body: unknown, headers: Record<string, string>) => {
    const init = { method: "POST", body: JSON.stringify(body) };
    return await fetch(url + path, {
      ...init,
      headers: { "content-type": "application/json", ...headers },
    });
  };
  const ann = { "x-user": "ann" };
  assert.equal((await post("/tasks", {}, {})).status, 401);
  assert.equal((await post("/tasks", { id: "a" }, ann)).status, 201);
  await until(() => process.err.includes("hook of a\n"), "the hook was called");
  assert.equal(
    (await post("/tasks/a/events", { type: "x", data: "x".repeat(200) }, ann)).status,
    413,
  );
  assert.equal((await post("/tasks", { params: { x: "x".repeat(2000) } }, ann)).status, 413);
  const key = { "x-taskcast-service-key": "0123456789abcdef" };
  assert.equal((await post("/tasks", {}, key)).status, 201);
  process.kill("SIGTERM");
  assert.equal(await process.ended, 0);
});

Deno.test("start: limits, trusted proxies, the log's format and lists of issuers come from the file", async () => {
  const secret = "a secret of more than thirty-two bytes";
  await using folder = await tempFolder({
    "taskcast.config.yaml": `
logFormat: json
trustProxy: 1
auth: { mode: jwt, jwt: { secret: ${secret}, issuer: [us, them], audience: [one, two] } }
limits:
  maxStreams: 1
  rateLimit: { requestsPerSecond: 1, burst: 2 }
`,
  });
  await using server = await startCli(LOCAL, { TASKCAST_LOG_FORMAT: "" }, folder.path);
  const [first] = server.process.err.split("\n");
  assert.equal(JSON.parse(first!).msg, "configuration: taskcast.config.yaml");
  const key = new TextEncoder().encode(secret);
  const ask = async (address: string, claims: Record<string, unknown>, path = "/tasks") => {
    const headers = {
      "x-forwarded-for": `10.0.0.1, ${address}`,
      authorization: `Bearer ${await signed("HS256", key, claims)}`,
    };
    return await fetch(server.url + path, { headers });
  };
  const status = async (...args: Parameters<typeof ask>) => {
    const response = await ask(...args);
    await response.body?.cancel();
    return response.status;
  };
  assert.equal(await status("10.1.0.1", { iss: "them", aud: "two", sub: "a" }), 200);
  assert.equal(await status("10.1.0.2", { iss: "nobody", aud: "two", sub: "b" }), 401);
  assert.equal(await status("10.1.0.3", { iss: "us", aud: "three", sub: "c" }), 401);
  // One per second: of eight at once, most must wait on any machine.
  const many = await Promise.all(
    Array.from({ length: 8 }, () => status("10.1.0.4", { iss: "us", aud: "one", sub: "d" })),
  );
  assert(many.filter((one) => one === 429).length >= 3, String(many));
  const stream = await ask("10.1.0.5", { iss: "us", aud: "one", sub: "e" }, "/events");
  assert.equal(stream.status, 200);
  assert.equal(await status("10.1.0.6", { iss: "us", aud: "one", sub: "f" }, "/events"), 429);
  await stream.body!.cancel();
});

Deno.test("start: Sentry by a variable alone, with pending reports sent at the end", async () => {
  await using sentry = startSentryEndpoint();
  await using server = await startCli(LOCAL, { SENTRY_DSN: sentry.dsn });
  const client = new TaskcastServerClient({ baseUrl: server.url });
  const { id } = await client.createTask({ type: "llm.chat" });
  await client.transitionTask(id, "running");
  await client.transitionTask(id, "failed", { error: { message: "no answer" } });
  server.process.kill("SIGTERM");
  assert.equal(await server.process.ended, 0);
  assert.equal(sentry.events.length, 1);
  const { code, err } = await runCli(LOCAL, { TASKCAST_PORT: "0", SENTRY_DSN: "https://5ec4e7@h" });
  assert.equal(code, 1);
  assert.match(err, /^error: Cannot start Sentry: the DSN must look like .*\n$/);
  assert(!err.includes("5ec4e7"));
});

const guide = (name: string) =>
  Deno.readTextFile(new URL(`../docs/guide/${name}`, import.meta.url));

async function newDatabase(): Promise<string> {
  const schema = `t${crypto.randomUUID().replaceAll("-", "")}`;
  const sql = postgres(pg, { max: 1, onnotice: () => {} });
  await sql`CREATE SCHEMA ${sql(schema)}`;
  await sql.end();
  return `${pg}?search_path=${schema}`;
}

for (
  const [source, name] of [
    ["taskcast.config.yaml", "taskcast.config.yaml"],
    ["taskcast.config.ts.txt", "taskcast.config.ts"],
  ] as const
) {
  test(`the guide's ${name} works as written`, async () => {
    await using sentry = startSentryEndpoint();
    const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
    await using folder = await tempFolder({ "jwt.pub": await exportSPKI(publicKey) });
    const text = (await guide(source)).replace("/run/secrets/jwt.pub", `${folder.path}/jwt.pub`);
    const env = { REDIS_URL: redis, DATABASE_URL: await newDatabase(), SENTRY_DSN: sentry.dsn };
    await Deno.writeTextFile(`${folder.path}/${name}`, text);
    await using server = await startCli([...LOCAL, "-c", name], env, folder.path);
    assert.match(server.process.err, /storage: redis, archive: postgres, auth: jwt\)/);
    const token = await signed("RS256", privateKey);
    const client = new TaskcastServerClient({ baseUrl: server.url, token });
    assert.equal(await statusFor(server.url, "a.b.c"), 401);
    const { id } = await client.createTask({ type: "llm.chat" });
    await client.transitionTask(id, "running");
    await client.transitionTask(id, "failed", { error: { message: "no answer" } });
    await until(() => sentry.events.length === 1, "Sentry got the report");
    const { settings } = await checkConfig(folder.path, ["-c", name], env, runCli);
    assert.deepEqual(settings["cleanup.rules"]?.value, [
      {
        match: { taskTypes: ["llm.*"] },
        trigger: { afterMs: 3_600_000 },
        target: "events",
        eventFilter: { levels: ["debug"] },
      },
      { trigger: { afterMs: 604_800_000 }, target: "all" },
    ]);
    const due = await runCli(["cleanup", "--dry-run", "-c", name], env, folder.path);
    assert.deepEqual([due.code, due.err], [0, "Nothing is due\n"]);
    const migrated = await runCli(["migrate", "-c", name], env, folder.path);
    assert.match(migrated.err, /up to date/);
  });
}

test("the guide's minimal configuration works as written; addresses in the environment override it", async () => {
  const secret = "a secret of more than thirty-two bytes";
  await using folder = await tempFolder({ "taskcast.config.yaml": await guide("minimal.yaml") });
  const JWT_SECRET = secret;
  await using server = await startCli(LOCAL, { REDIS_URL: redis, JWT_SECRET }, folder.path);
  assert.match(server.process.err, /storage: redis, auth: jwt\)/);
  const token = await signed("HS256", new TextEncoder().encode(secret));
  assert.equal(await statusFor(server.url, token), 200);
  const elsewhere = { JWT_SECRET, REDIS_URL: "redis://127.0.0.1:1", TASKCAST_REDIS_URL: redis };
  await using second = await startCli(LOCAL, elsewhere, folder.path);
  assert.equal(await statusFor(second.url, token), 200);
});

Deno.test("the guide's TypeScript satisfies TaskcastConfig as written", async () => {
  const core = new URL("../../core/mod.ts", import.meta.url).href;
  await using folder = await tempFolder({
    "taskcast.config.ts": await guide("taskcast.config.ts.txt"),
    "wrong.ts": (await guide("taskcast.config.ts.txt")).replace("logLevel", "logLevl"),
    "deno.json": JSON.stringify({ imports: { "@taskcast/core": core } }),
  });
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--no-lock", "taskcast.config.ts", "wrong.ts"],
    cwd: folder.path,
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stderr);
  assert(!success);
  assert.match(text, /logLevl/);
  const places = [...text.matchAll(/at file:\/\/\S*\/([\w.]+):\d+:\d+/g)].map(([, file]) => file);
  assert.deepEqual(new Set(places), new Set(["wrong.ts"]), text);
});

async function nodeMajor(): Promise<number> {
  try {
    const { stdout } = await new Deno.Command("node", { args: ["--version"] }).output();
    return Number(/^v(\d+)/.exec(new TextDecoder().decode(stdout))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

Deno.test({
  name: "a configuration in TypeScript is loaded on Node, too",
  ignore: await nodeMajor() < 20,
}, async () => {
  const jiti = import.meta.resolve("npm:jiti@^2.7.0");
  const reader = new URL("../../cli/files/load_module.ts", import.meta.url).pathname;
  await using folder = await tempFolder({
    "other.ts": "export enum Port { Usual = 3721 }",
    "taskcast.config.ts": `
      import type { TaskcastConfig } from "@taskcast/core";
      import { Port } from "./other.ts";
      export default { port: Port.Usual, host: process.env.HOST_OF_TEST } satisfies TaskcastConfig;`,
    // The package is TypeScript here, so what loads it is what it loads itself.
    "main.mjs": `
      import { createJiti } from ${JSON.stringify(jiti)};
      const { loadDefault } = await createJiti(import.meta.url, {
        alias: { jiti: ${JSON.stringify(new URL(jiti).pathname)} },
      }).import(${JSON.stringify(reader)});
      console.log(JSON.stringify(await loadDefault(process.argv[2])));`,
  });
  const { stdout, stderr } = await new Deno.Command("node", {
    args: ["main.mjs", `${folder.path}/taskcast.config.ts`],
    cwd: folder.path,
    env: { HOST_OF_TEST: "h" },
  }).output();
  assert.equal(new TextDecoder().decode(stderr), "");
  assert.deepEqual(JSON.parse(new TextDecoder().decode(stdout)), { port: 3721, host: "h" });
});

Deno.test("start: webhooks reach private addresses only if the file allows them; refused origins are logged once", async () => {
  const received: string[] = [];
  await using hook = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async (request) => {
      received.push(await request.text());
      return new Response();
    },
  );
  const webhooks = [{ url: `http://127.0.0.1:${hook.addr.port}/` }];
  await using folder = await tempFolder({
    "open.yaml": `webhook:
  allowPrivate: [127.0.0.1]
  defaultRetry: { retries: 1 }
  hooks:
    - { name: audit, url: "${webhooks[0]!.url}", taskTypes: ["build.*"] }
    - { name: nobody, url: "http://127.0.0.1:9/", taskTypes: [lost], retry: { retries: 0 } }
`,
    "inside.yaml": `webhook: { hooks: [{ name: audit, url: "${webhooks[0]!.url}" }] }`,
  });
  await using open = await startCli([...LOCAL, "-c", "open.yaml"], {}, folder.path);
  const client = new TaskcastServerClient({ baseUrl: open.url });
  const { id } = await client.createTask({ webhooks });
  await client.transitionTask(id, "running");
  await until(() => received.length > 0, "the webhook got the event");
  received.length = 0;
  await client.createTask({ id: "b", type: "build.site" });
  await client.transitionTask("b", "completed");
  await until(() => received.length > 0, "the webhook of all tasks got the event");
  assert.match(received[0]!, /"taskId":"b"/);
  await client.createTask({ id: "c", type: "lost" });
  await client.transitionTask("c", "running");
  await until(() => open.process.err.includes("warn"), "the log names the abandoned delivery");
  assert.match(
    open.process.err,
    /^warn {2}webhook nobody failed to deliver an event of task c: nothing listens there$/m,
  );
  const inside = await runCli(["start", "-c", "inside.yaml"], { TASKCAST_PORT: "0" }, folder.path);
  assert.equal(inside.code, 1);
  assert.match(
    inside.err,
    /error: .*webhook\.hooks\[0\]\.url.* leads to a private address.* webhook\.allowPrivate /,
  );
  await using usual = await startCli(LOCAL, {}, folder.path);
  await assert.rejects(
    new TaskcastServerClient({ baseUrl: usual.url }).createTask({ webhooks }),
    /private.* webhook\.allowPrivate /,
  );

  // Pages of both origins ask the same server twice.
  for (const origin of ["https://app.example", "http://localhost:5173"]) {
    for (const method of ["OPTIONS", "OPTIONS"]) {
      const headers = { origin, "access-control-request-method": "POST" };
      const response = await fetch(`${usual.url}/tasks`, { method, headers });
      assert.match((await response.json()).error.message, /--cors, TASKCAST_CORS or cors\.origin/);
    }
    const warned = usual.process.err.split("\n").filter((line) =>
      line.includes(`--cors ${origin},`)
    );
    assert.equal(warned.length, 1, usual.process.err);
  }
});
