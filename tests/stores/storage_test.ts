import assert from "node:assert/strict";
import { TaskcastClient } from "@taskcast/client";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import { migratePostgres } from "@taskcast/postgres";
import postgres from "postgres";
import { runCli, startCli } from "../../testing/servers/cli.ts";
import { freePort } from "../../testing/network/free_port.ts";
import { postgresUrl } from "../../testing/databases/postgres_server.ts";
import { redisUrl } from "../../testing/databases/redis_server.ts";
import { until } from "../../testing/sse/sse.ts";
import { tempFolder, withFile } from "../../testing/temp_file.ts";

// How `taskcast start` selects its storage, and its messages if the storage is not available.

const LOCAL = ["--host", "127.0.0.1"];
const redis = (await redisUrl())!;
const pg = (await postgresUrl())!;
const test = redis === undefined || pg === undefined ? () => {} : Deno.test;

/** Creates a schema and returns its address. */
async function newDatabase(): Promise<string> {
  const schema = `t${crypto.randomUUID().replaceAll("-", "")}`;
  const sql = postgres(pg, { max: 1, onnotice: () => {} });
  await sql`CREATE SCHEMA ${sql(schema)}`;
  await sql.end();
  return `${pg}?search_path=${schema}`;
}

async function storageOf(args: string[], env: Record<string, string>): Promise<string> {
  await using server = await startCli([...LOCAL, ...args], env);
  return /storage: ([^)]*?), auth/.exec(server.process.err)![1]!;
}

test("start: an address selects the storage, and a name overrides it", async () => {
  const TASKCAST_REDIS_URL = redis;
  const TASKCAST_POSTGRES_URL = await newDatabase();
  await withFile(async (path) => {
    const cases: [string[], Record<string, string>, string][] = [
      [[], {}, "memory"],
      [[], { TASKCAST_REDIS_URL }, "redis"],
      [["--redis-url", redis], {}, "redis"],
      [[], { TASKCAST_POSTGRES_URL }, "memory, archive: postgres"],
      [[], { TASKCAST_REDIS_URL, TASKCAST_POSTGRES_URL }, "redis, archive: postgres"],
      [["--storage", "postgres"], { TASKCAST_POSTGRES_URL }, "postgres"],
      [
        [],
        { TASKCAST_SQLITE_PATH: path, TASKCAST_POSTGRES_URL },
        `sqlite ${path}, archive: postgres`,
      ],
      [["--storage", "memory"], { TASKCAST_STORAGE: "sqlite" }, "memory"],
      [
        ["--storage", "./examples/custom_store/journal_store.ts"],
        {},
        "./examples/custom_store/journal_store.ts",
      ],
    ];
    for (const [args, env, expected] of cases) assert.equal(await storageOf(args, env), expected);
    await Deno.remove("taskcast.journal");
  });
});

Deno.test("start: a storage that cannot work is refused in one clear line without secrets", async () => {
  const port = freePort();
  const cases: [string[], RegExp][] = [
    [
      ["--redis-url", `redis://user:secret@127.0.0.1:${port}`],
      new RegExp(
        `^error: Cannot use redis at 127.0.0.1:${port}: connect ECONNREFUSED`,
      ),
    ],
    [
      ["--postgres-url", `postgres://user:secret@127.0.0.1:${port}/db`],
      new RegExp(
        `^error: Cannot use postgres at 127.0.0.1:${port}: .*ECONNREFUSED`,
      ),
    ],
    [["--redis-url", "redis://:secret@127.0.0.1/abc"], /path that must be the number/],
    [["--redis-url", "http://secret@x"], /^error: Cannot use redis.*must begin with redis:\/\//],
    [
      ["--postgres-url", "mysql://secret@x"],
      /^error: Cannot use postgres.*must begin with postgres:/,
    ],
    [["--postgres-url", "secret"], /^error: Cannot use postgres: its address is not a URL such as/],
    ...[
      "postgres://u:secret@localhost:99999/db",
      "postgres://u:secret/@h/db",
      "postgres://u:secret#@h/db",
    ]
      .map((
        url,
      ): [string[], RegExp] => [["--postgres-url", url], /address is not a URL|ECONNREFUSED/]),
    [["--redis-url", "redis://u:secret@localhost:99999"], /its address is not a URL/],
    [["--postgres-url", "postgres://u:secret@h1:1,h2:2/db"], /there can be only one host$/],
    [["--redis-url", `redis://u:secret%@127.0.0.1:${port}`], /^error: Cannot use redis at 127/],
    [
      ["--postgres-url", `postgres://u:secret%@127.0.0.1:${port}/db`],
      /^error: Cannot use postgres/,
    ],
    [["--storage", "redis"], /^error: --storage redis needs --redis-url or TASKCAST_REDIS_URL$/],
    [["--storage", "postgres"], /^error: --storage postgres needs --postgres-url/],
    [["--storage", "memory", "--redis-url", "redis://x"], /^error: A Redis address needs/],
    [["--no-auto-migrate"], /^error: --no-auto-migrate needs --postgres-url/],
    [["--storage", "rediss"], /^error: There is no adapter "rediss": did you mean "redis"\?/],
    [["--storage", "./nowhere.ts"], /^error: Cannot load the adapter ".\/nowhere.ts"/],
    [["--storage", "./mod.ts"], /^error: ".\/mod.ts" is no adapter: its default export must be/],
  ];
  await Promise.all(cases.map(async ([args, message]) => {
    const { code, err } = await runCli(["start", ...args], { TASKCAST_PORT: "0" });
    assert.equal(code, 1, err);
    assert.match(err.trimEnd(), message);
    assert.equal(err.trimEnd().split("\n").length, 1, err);
    assert(!err.includes("secret"), err);
  }));
});

Deno.test("start: an incomplete plugin is named with its role and what is missing", async () => {
  const core = new URL("../../core/mod.ts", import.meta.url).href;
  const plugin = (open: string) => `
    import { MemoryShortTermStore } from "${core}";
    export default { name: "mine", roles: ["shortTerm", "broadcast"], open() { ${open} } };`;
  const without = (...names: string[]) => {
    const removed = names.map((name) => `store.${name} = undefined;`).join(" ");
    return plugin(`const store = new MemoryShortTermStore(); ${removed}
      return { shortTerm: store, broadcast: { publish() {}, subscribe() {}, close() {}, check() {} } };`);
  };
  await using folder = await tempFolder({
    "no_check.ts": without("check"),
    "no_close.ts": without("readFolds", "close"),
    "nothing.ts": plugin("return undefined;"),
    "bare.ts": plugin(
      "return { shortTerm: new MemoryShortTermStore(), broadcast: { close() { console.log('closed') } } };",
    ),
    "instance.js": `
      import { MemoryShortTermStore } from "${core}";
      class Half extends MemoryShortTermStore { readLog = undefined; }
      export default { adapters: { broadcast: { provider: "memory" }, shortTerm: new Half() } };`,
  });
  const cases: [args: string[], message: string, out?: string][] = [
    [
      ["--storage", "./no_check.ts"],
      'The plugin "mine" of "./no_check.ts" opened a shortTerm adapter without check()',
    ],
    [
      ["--storage", "./no_close.ts"],
      'The plugin "mine" of "./no_close.ts" opened a shortTerm adapter without readFolds(), close()',
    ],
    [
      ["--storage", "./nothing.ts"],
      '"./nothing.ts" opened no broadcast adapter, though it says it can',
    ],
    [
      ["--storage", "./bare.ts"],
      'The plugin "mine" of "./bare.ts" opened a broadcast adapter without publish(), ' +
      "subscribe(), check()",
      "closed\n", // Everything open is released.
    ],
    [
      ["-c", "instance.js", "--log-level", "error"],
      "The configuration has a shortTerm adapter without readLog()",
    ],
    [
      ["--storage", "no_check.ts"],
      'There is no module "no_check.ts" to load; did you mean the file "./no_check.ts"?',
    ],
  ];
  await Promise.all(cases.map(async ([args, message, out = ""]) => {
    const got = await runCli(["start", ...args], { TASKCAST_PORT: "0" }, folder.path);
    assert.deepEqual(got, { code: 1, out, err: `error: ${message}\n` });
  }));
  const { err } = await runCli(["--storage", "no_such.ts"], { TASKCAST_PORT: "0" }, folder.path);
  assert.match(err, /^error: Cannot load the adapter "no_such.ts": .*\n$/);
});

test("start: a wrong service at an address is named", async () => {
  const hosts = { redis: new URL(redis).host, postgres: new URL(pg).host };
  const cases: [string[], RegExp][] = [
    [["--redis-url", `redis://${hosts.postgres}`], /Cannot use redis at .*is it a Redis/],
    [["--redis-url", `rediss://${hosts.redis}`], /Cannot use redis at .*rediss:/],
    [["--redis-url", `redis://${hosts.redis}/99`], /Cannot use redis at .*no database 99/],
    [
      ["--postgres-url", `postgres://${hosts.redis}/x`],
      /Cannot use postgres at .*is it a PostgreSQL/,
    ],
  ];
  await Promise.all(cases.map(async ([args, message]) => {
    const { code, err } = await runCli(["start", ...args], { TASKCAST_PORT: "0" });
    assert.equal(code, 1, err);
    assert.match(err, message);
    assert.equal(err.trimEnd().split("\n").length, 1, err);
  }));
});

test("start --no-auto-migrate refuses outdated tables; taskcast migrate updates them", async () => {
  const url = await newDatabase();
  const refused = await runCli(["start", "--postgres-url", url, "--no-auto-migrate"], {
    TASKCAST_PORT: "0",
  });
  assert.equal(refused.code, 1);
  assert.match(
    refused.err,
    /at version 0 and this program needs \d+: run "taskcast migrate" first$/m,
  );
  const first = await runCli(["migrate", "--postgres-url", url]);
  assert.equal(first.code, 0, first.err);
  assert.match(first.err, /from version 0 to \d+/);
  const again = await runCli(["migrate"], { TASKCAST_POSTGRES_URL: url });
  assert.match(again.err, /up to date/);
  await using server = await startCli([...LOCAL, "--no-auto-migrate"], {
    TASKCAST_POSTGRES_URL: url,
  });
  assert.match(server.process.err, /archive: postgres/);
  const missing = await runCli(["migrate"]);
  assert.equal(missing.code, 1);
});

test("migrations of many servers that start at once are done once", async () => {
  const url = await newDatabase();
  const versions = await Promise.all(Array.from({ length: 6 }, () => migratePostgres({ url })));
  assert.equal(versions.filter(({ from }) => from === 0).length, 1);
});

test("health reports each dependency", async () => {
  await using server = await startCli(LOCAL, {
    TASKCAST_REDIS_URL: redis,
    TASKCAST_POSTGRES_URL: await newDatabase(),
  });
  const ready = await (await fetch(`${server.url}/health/ready`)).json();
  assert.deepEqual(ready, {
    status: "ready",
    dependencies: {
      broadcast: { ok: true, required: false },
      shortTermStore: { ok: true, required: true },
      longTermStore: { ok: true, required: false, lagMs: 0 },
    },
  });
  const detail = await (await fetch(`${server.url}/health/detail`)).json();
  assert.equal(detail.dependencies.longTermStore.ok, true);
  assert.deepEqual(detail.adapters, {
    broadcast: { provider: "redis", status: "ok" },
    shortTermStore: { provider: "redis", status: "ok" },
    longTermStore: { provider: "postgres", status: "ok" },
  });
  assert.equal(detail.counters.eventsArchived, 0);
});

test("rolling restart: streams are ended, and their clients continue at the other instance", async () => {
  const env = { TASKCAST_REDIS_URL: redis, TASKCAST_POSTGRES_URL: await newDatabase() };
  let current = await startCli(LOCAL, env);
  const { id } = await new TaskcastServerClient({ baseUrl: current.url }).createTask();
  const first = current.url;
  const client = new TaskcastClient({
    baseUrl: first,
    connection: { minDelayMs: 5, maxDelayMs: 50 },
    fetch: (input, init) => fetch(String(input).replace(first, current.url), init),
  });
  const seen: unknown[] = [];
  const following = client.subscribe(id, {
    filter: { types: ["n"] },
    onEvent: ({ data }) => seen.push(data),
    onError: (error, { fatal }) => assert(!fatal, String(error)),
  });
  for (let round = 0; round < 3; round++) {
    const taskcast = new TaskcastServerClient({ baseUrl: current.url });
    for (let i = 0; i < 10; i++) {
      await taskcast.publishEvent(id, { type: "n", data: 10 * round + i });
    }
    await until(() => seen.length === 10 * round + 10, "the events have come");
    const old = current;
    current = await startCli(LOCAL, env);
    old.process.kill("SIGTERM");
    assert.equal(await old.process.ended, 0, old.process.err);
  }
  await new TaskcastServerClient({ baseUrl: current.url }).transitionTask(id, "completed");
  await following;
  assert.deepEqual(seen, Array.from({ length: 30 }, (_, i) => i));
  await current[Symbol.asyncDispose]();
});
