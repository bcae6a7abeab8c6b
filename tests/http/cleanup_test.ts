import assert from "node:assert/strict";
import { TaskcastClient } from "@taskcast/client";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import postgres from "postgres";
import { runCli, startCli } from "../../testing/servers/cli.ts";
import { parsePrometheus, valueOf } from "../../testing/texts/prometheus.ts";
import { postgresUrl } from "../../testing/databases/postgres_server.ts";
import { redisUrl } from "../../testing/databases/redis_server.ts";
import { until } from "../../testing/sse/sse.ts";
import { tempFolder } from "../../testing/temp_file.ts";

// Clean-up rules as users meet them: real servers, real stores, the command line.

const LOCAL = ["--host", "127.0.0.1"];
const redis = (await redisUrl())!;
const pg = (await postgresUrl())!;
const test = redis === undefined || pg === undefined ? () => {} : Deno.test;

/** Creates an ended task of a type with ten events, every other one a debug event. */
async function endedTask(client: TaskcastServerClient, type: string): Promise<string> {
  const { id } = await client.createTask({ type });
  const events = Array.from({ length: 10 }, (_, i) => ({
    type: "step",
    data: i,
    level: i % 2 ? "info" as const : "debug" as const,
  }));
  await client.publishEvents(id, events);
  await client.transitionTask(id, "running");
  await client.transitionTask(id, "completed");
  return id;
}

async function dataOf(url: string, id: string): Promise<unknown[]> {
  const steps: unknown[] = [];
  for await (const { type, data } of new TaskcastClient({ baseUrl: url }).history(id)) {
    if (type === "step") steps.push(data);
  }
  return steps;
}

async function statusOf(url: string, id: string): Promise<number> {
  const response = await fetch(`${url}/tasks/${id}`);
  await response.body?.cancel();
  return response.status;
}

async function metric(url: string, name: string): Promise<number> {
  return valueOf(parsePrometheus(await (await fetch(`${url}/metrics`)).text()), name)!;
}

test("two instances on Redis and PostgreSQL clean up hot and archived tasks, each once", async () => {
  const schema = `t${crypto.randomUUID().replaceAll("-", "")}`;
  const sql = postgres(pg, { max: 1, onnotice: () => {} });
  await sql`CREATE SCHEMA ${sql(schema)}`;
  const database = `${pg}?search_path=${schema}`;
  const config = JSON.stringify({
    adapters: {
      shortTerm: { provider: "redis", url: redis, prefix: schema },
      broadcast: { provider: "redis", url: redis, prefix: schema },
      longTerm: { provider: "postgres", url: database },
    },
    engine: { hotRetentionMs: 1_500, archiveDelayMs: 50 },
    cleanup: {
      rules: [
        {
          match: { taskTypes: ["llm.*"] },
          trigger: { afterMs: 0 },
          target: "events",
          eventFilter: { levels: ["debug"] },
        },
        { match: { taskTypes: ["short"] }, trigger: { afterMs: 0 }, target: "all" },
        { match: { taskTypes: ["cold"] }, trigger: { afterMs: 4_000 }, target: "all" },
      ],
    },
  });
  await using folder = await tempFolder({ "taskcast.config.json": config });
  await using one = await startCli(LOCAL, {}, folder.path);
  await using two = await startCli(LOCAL, {}, folder.path);
  const clients = [one, two].map(({ url }) => new TaskcastServerClient({ baseUrl: url }));
  const made: Record<string, string[]> = { "llm.chat": [], short: [], cold: [], other: [] };
  for (let i = 0; i < 20; i++) {
    for (const type of Object.keys(made)) {
      made[type]!.push(await endedTask(clients[i % 2]!, type));
    }
  }
  const odd = [1, 3, 5, 7, 9];
  const everyOf = async (type: string, holds: (id: string) => Promise<boolean>) =>
    (await Promise.all(made[type]!.map(holds))).every((held) => held);
  const trimmed = (id: string) => dataOf(two.url, id).then((data) => data.length === 5);
  await until(() => everyOf("llm.chat", trimmed), "debug events are gone");
  for (const id of made["llm.chat"]!) assert.deepEqual(await dataOf(one.url, id), odd);
  await until(
    () => everyOf("short", async (id) => await statusOf(one.url, id) === 404),
    "short tasks are gone",
  );
  await until(
    async () => {
      const rows = await sql`SELECT 1 FROM ${sql(`${schema}.taskcast_tasks`)} WHERE type = 'cold'`;
      return rows.length === 0;
    },
    "cold tasks are gone from the archive",
  );
  assert(await everyOf("cold", async (id) => await statusOf(two.url, id) === 404));
  for (const id of made["other"]!) assert.equal((await dataOf(two.url, id)).length, 10);
  const total = async (name: string) => await metric(one.url, name) + await metric(two.url, name);
  assert.equal(await total("taskcast_tasks_cleaned_total"), 40);
  assert.equal(await total("taskcast_events_trimmed_total"), 100);
  const counts = await sql`SELECT count(*)::int AS n FROM ${sql(`${schema}.taskcast_events`)}`;
  assert.equal(counts[0]!.n, 20 * 12 + 20 * 7, "cleaned events are not in the archive");
  await sql`DROP SCHEMA ${sql(schema)} CASCADE`;
  await sql.end();
});

Deno.test("taskcast cleanup shows what is due, changes nothing with --dry-run, and does it otherwise", async () => {
  const storage = { adapters: { shortTerm: { provider: "sqlite", path: "./tasks.db" } } };
  const rules = [
    {
      name: "debug",
      match: { taskTypes: ["llm.*"] },
      trigger: { afterMs: 0 },
      target: "events",
      eventFilter: { levels: ["debug"] },
    },
    { match: { taskTypes: ["build"] }, trigger: { afterMs: 0 }, target: "all" },
  ];
  await using folder = await tempFolder({
    "server.json": JSON.stringify(storage),
    "cleanup.json": JSON.stringify({ ...storage, cleanup: { rules } }),
    "bad.json": JSON.stringify({
      ...storage,
      cleanup: { rules: [{ ...rules[1], eventFilter: {} }] },
    }),
  });
  await using server = await startCli([...LOCAL, "-c", "server.json"], {}, folder.path);
  const client = new TaskcastServerClient({ baseUrl: server.url });
  const [chat, build] = [await endedTask(client, "llm.chat"), await endedTask(client, "build")];
  const { id: running } = await client.createTask({ type: "build" });
  const run = (...args: string[]) => runCli(["cleanup", ...args], {}, folder.path);

  const dry = await run("-c", "cleanup.json", "--dry-run", "--json");
  assert.equal(dry.code, 0, dry.err);
  const lines = dry.out.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.map((
      { taskId, action, events, rules, dryRun },
    ) => [taskId, action, events, rules, dryRun]),
    [[build, "deleted", 12, ["rule 2"], true], [chat, "trimmed", 5, ["debug"], true]],
  );
  assert.equal(
    dry.err,
    "Would delete 1 task, and 5 events of 1 other task; nothing was changed\n",
  );
  assert.equal((await dataOf(server.url, chat)).length, 10);
  assert.equal(await statusOf(server.url, build), 200);

  const real = await run("-c", "cleanup.json");
  assert.equal(real.code, 0, real.err);
  assert.match(
    real.out,
    new RegExp(`^deleted  ${build}  build  completed \\S+  12 events  rule 2$`, "m"),
  );
  assert.match(
    real.out,
    new RegExp(`^trimmed  ${chat}  llm.chat  completed \\S+  5 events  debug$`, "m"),
  );
  assert.equal(real.err, "Deleted 1 task, and 5 events of 1 other task\n");
  assert.deepEqual(await dataOf(server.url, chat), [1, 3, 5, 7, 9]);
  assert.equal(await statusOf(server.url, build), 404);
  assert.equal(await statusOf(server.url, running), 200);

  const again = await run("-c", "cleanup.json");
  assert.deepEqual(again, { code: 0, out: "", err: "Nothing was due\n" });
  const withoutRules = await run("-c", "server.json", "--dry-run");
  assert.deepEqual(withoutRules, {
    code: 0,
    out: "",
    err: "The configuration has no clean-up rules; only those of tasks apply\n" +
      "Nothing is due\n",
  });

  // Names chosen by others are shown so that no terminal interprets them.
  const config = { ...storage, cleanup: { rules: [{ ...rules[1], match: {}, name: "a\x1b[2J" }] } };
  await Deno.writeTextFile(`${folder.path}/sly.json`, JSON.stringify(config));
  await endedTask(client, "b\x07c");
  const sly = await run("-c", "sly.json", "--dry-run");
  assert.match(sly.out, /\sb\\u0007c\s+completed .*\sa\\u001b\[2J$/m);
  assert(!/[^\P{Cc}\n]/u.test(sly.out));

  const bad = await run("-c", "bad.json", "--dry-run");
  assert.deepEqual(bad, {
    code: 1,
    out: "",
    err: 'error: bad.json: cleanup.rules[0].eventFilter: goes only with the target "events"\n',
  });
  const memory = await run("--storage", "memory");
  assert.equal(memory.code, 1);
  assert.match(memory.err, /^error: cleanup needs storage that it shares with a server/);
});

Deno.test("taskcast cleanup creates no missing file", async () => {
  await using folder = await tempFolder();
  for (const options of [[], ["--dry-run"]]) {
    const answer = await runCli(
      ["cleanup", "--sqlite-path", "typo.db", ...options],
      {},
      folder.path,
    );
    assert.deepEqual(answer, {
      code: 1,
      out: "",
      err: "error: there is no file typo.db, so there is nothing to clean up\n",
    });
  }
  assert.deepEqual([...Deno.readDirSync(folder.path)], []);
});

test("taskcast cleanup --dry-run leaves a database's tables as they are", async () => {
  const schema = `t${crypto.randomUUID().replaceAll("-", "")}`;
  const sql = postgres(pg, { max: 1, onnotice: () => {} });
  await sql`CREATE SCHEMA ${sql(schema)}`;
  const args = ["--storage", "postgres", "--postgres-url", `${pg}?search_path=${schema}`];
  const { code, err } = await runCli(["cleanup", ...args, "--dry-run"]);
  assert.equal(code, 1);
  assert.match(err, /taskcast migrate/);
  const tables = await sql`SELECT 1 FROM information_schema.tables WHERE table_schema = ${schema}`;
  assert.equal(tables.length, 0);
  await sql`DROP SCHEMA ${sql(schema)} CASCADE`;
  await sql.end();
});
