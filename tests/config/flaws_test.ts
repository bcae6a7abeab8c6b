import assert from "node:assert/strict";
import { variableFlaws } from "../../cli/config/variables.ts";
import { COMMAND, ELSEWHERE, runCli, startCli } from "../../testing/servers/cli.ts";
import { runInProcess } from "../../testing/servers/in_process.ts";
import { checkConfig } from "../../testing/texts/config_check.ts";
import { until } from "../../testing/sse/sse.ts";
import { tempFolder } from "../../testing/temp_file.ts";

// Mistakes that would go unnoticed until much later: misspelt variables, guessable secrets,
// settings that only the start refuses.

Deno.test("variableFlaws() distinguishes misspelt names, names of platforms, and unknown ones", () => {
  const misspelt = {
    TASKCAST_REDIS_ULR: "TASKCAST_REDIS_URL",
    TASKCAST_REDISURL: "TASKCAST_REDIS_URL",
    TASKCAST_STORGE: "TASKCAST_STORAGE",
    TASKCAST_LOGLEVEL: "TASKCAST_LOG_LEVEL",
    TASKCAST_CORS_ORIGIN: "TASKCAST_CORS",
    TASKCAST_JWT_SECRETS: "TASKCAST_JWT_SECRET",
    Taskcast_Port: "TASKCAST_PORT",
    TASKCAST_TOKN: "TASKCAST_TOKEN",
  };
  for (const [name, meant] of Object.entries(misspelt)) {
    assert.deepEqual(variableFlaws({ [name]: "hush" }), {
      problems: [`${name} is not known; did you mean ${meant}?`],
      warnings: [],
    });
  }
  const platform = {
    TASKCAST_SERVICE_HOST: "10.0.0.1",
    TASKCAST_SERVICE_PORT: "3721",
    TASKCAST_SERVICE_PORT_HTTP: "3721",
    TASKCAST_PORT: "tcp://10.0.0.1:3721",
    TASKCAST_PORT_3721_TCP: "tcp://10.0.0.1:3721",
    TASKCAST_PORT_3721_TCP_ADDR: "10.0.0.1",
    TASKCAST_PORT_3721_TCP_PROTO: "tcp",
    TASKCAST_REDIS_SERVICE_HOST: "10.0.0.2",
    TASKCAST_REDIS_PORT: "tcp://10.0.0.2:6379",
    TASKCAST_REDIS_PORT_6379_TCP_PORT: "6379",
    TASKCAST_NAME: "/app/taskcast",
    TASKCAST_ENV_NODE_VERSION: "20",
  };
  const fine = {
    TASKCAST_REDIS_ULR: "",
    TASKCAST_URL: "http://x",
    PATH: "/",
    NOT_TASKCAST_PORT: "1",
  };
  assert.deepEqual(variableFlaws({ ...platform, ...fine }), { problems: [], warnings: [] });
  const begun = {
    TASKAST_STORAGE: "TASKCAST_STORAGE",
    TASK_CAST_STORAGE: "TASKCAST_STORAGE",
    "TASKCAST-REDIS-URL": "TASKCAST_REDIS_URL",
    TASKCASTPORT: "TASKCAST_PORT",
    TSAKCAST_AUTH_MODE: "TASKCAST_AUTH_MODE",
    TASKCASTS_TOKEN: "TASKCAST_TOKEN",
    taskcst_jwt_secret: "TASKCAST_JWT_SECRET",
  };
  for (const [name, meant] of Object.entries(begun)) {
    assert.deepEqual(variableFlaws({ [name]: "hush" }), {
      problems: [],
      warnings: [`${name} has no effect; did you mean ${meant}?`],
    });
  }
  const others = {
    TASK_PORT: "1",
    PORT: "1",
    BROADCAST_STORAGE: "x",
    MY_TASKCAST_PORT: "1",
    TASKCHAT_PORT: "1",
    TASKAST_STORGE: "x",
    TASKAST_STORAGE: "",
    TASKCAST2_PORT: "tcp://10.0.0.1:3721",
  };
  assert.deepEqual(variableFlaws(others), { problems: [], warnings: [] });
  const warnings = ["TASKCAST_IMAGE is not known and has no effect"];
  assert.deepEqual(variableFlaws({ TASKCAST_IMAGE: "hush" }), { problems: [], warnings });
});

Deno.test("misspelt variables stop every command that reads them; unknown ones cause a warning", async () => {
  const commands = [["start"], ["config", "check"], ["logs", "x"], ["cleanup"], ["token"]];
  await Promise.all(commands.map(async (args) => {
    const { code, err } = await runInProcess(
      args[0] === "token" ? ["token", "--scope", "*"] : args,
      { TASKCAST_PORT: "0", TASKCAST_REDIS_ULR: "redis://:hush@h", TASKCAST_URL: "http://h" },
    );
    assert.equal(code, 1, args.join(" "));
    assert.equal(err, "error: TASKCAST_REDIS_ULR is not known; did you mean TASKCAST_REDIS_URL?\n");
  }));
  await using server = await startCli([], {
    TASKCAST_PORT: "tcp://10.0.0.1:3721",
    TASKCAST_SERVICE_HOST: "10.0.0.1",
    TASKCAST_IMAGE: "taskcast:1",
    TASKCAST_ALLOW_HOSTS: "x",
  }).catch((error) => {
    // If the usual port is in use here, it was the one requested.
    assert.match(String(error), /Cannot listen on 127\.0\.0\.1:3721/);
    return { process: { err: String(error) }, async [Symbol.asyncDispose]() {} };
  });
  await until(
    () => server.process.err.includes("TASKCAST_IMAGE is not known and has no effect"),
    "the warning",
  );
  assert(!server.process.err.includes("TASKCAST_SERVICE_HOST"));
});

Deno.test("short secrets are refused by every command, unless a flag allows them", async () => {
  const jwt = { TASKCAST_AUTH_MODE: "jwt", TASKCAST_JWT_SECRET: "swordfish" };
  const flag = { TASKCAST_ALLOW_SHORT_SECRETS: "true" };
  const commands = [["start"], ["config", "check"], ["token", "--scope", "*"]];
  await Promise.all(commands.map(async (args) => {
    const { code, err } = await runInProcess(args, { TASKCAST_PORT: "0", ...jwt });
    assert.equal(code, 1, args.join(" "));
    assert.match(
      err,
      /^error: .*[sS][eE][cC][rR][eE][tT] has 9 bytes and needs 32, .*openssl rand/,
    );
    assert(!err.includes("swordfish"));
  }));
  assert.equal((await runInProcess(["token", "--scope", "*"], { ...jwt, ...flag })).code, 0);
  await using server = await startCli(["--allow-short-secrets"], jwt);
  assert.equal(
    (await fetch(`${server.url}/health`).then(async (response) => {
      await response.body?.cancel();
      return response;
    })).status,
    200,
  );
  await using folder = await tempFolder({ "a.yaml": "ticketSecret: short" });
  assert.match(
    (await checkConfig(folder.path, ["-c", "a.yaml"])).errors!.join(),
    /ticketSecret: has 5/,
  );
  const blank = await checkConfig(folder.path, [], {
    TASKCAST_AUTH_MODE: "jwt",
    TASKCAST_JWT_SECRET: " ".repeat(40),
  });
  assert.match(blank.errors!.join(), /^TASKCAST_JWT_SECRET has nothing but spaces/);
});

Deno.test("config check refuses what start refuses, before anything is connected to", async () => {
  const cases: [name: string, text: string, error: RegExp][] = [
    ["hook.yaml", "webhook: { hooks: [{ name: a, url: example.com/h }] }", /hooks\[0\].*url/],
    [
      "private.yaml",
      "webhook: { hooks: [{ name: a, url: 'http://127.0.0.1/h' }] }",
      /webhook\.hooks\[0\]\.url/,
    ],
    [
      "twice.yaml",
      "webhook: { hooks: [{ name: a, url: 'https://a.example' }, { name: a, url: 'https://b.example' }] }",
      /name/,
    ],
    [
      "redis.yaml",
      "adapters: { shortTerm: { provider: redis, url: 'localhost:6379' } }",
      /redis:\/\//,
    ],
    ["dsn.yaml", "sentry: { dsn: 'https://hush@h' }", /the DSN must look like/],
    [
      "module.yaml",
      "adapters: { broadcast: { provider: memory }, shortTerm: { provider: ./none.ts } }",
      /Cannot load the adapter/,
    ],
    [
      "role.yaml",
      "adapters: { longTerm: { provider: redis, url: 'redis://h' } }",
      /"redis" cannot be the longTerm adapter/,
    ],
    [
      "folder.yaml",
      "adapters: { shortTerm: { provider: sqlite, path: no/such/a.db } }",
      /no folder/,
    ],
  ];
  await using folder = await tempFolder(
    Object.fromEntries(cases.map(([name, text]) => [name, text])),
  );
  await Promise.all(cases.map(async ([name, , error]) => {
    const checked = await checkConfig(folder.path, ["-c", name]);
    assert.equal(checked.ok, false, name);
    assert.match(checked.errors!.join("\n"), error);
    assert(!checked.errors!.join().includes("hush"));
    const started = await runInProcess(["-c", name], { TASKCAST_PORT: "0" }, folder.path);
    assert.equal(started.code, 1, name);
  }));
  const misspelt = await checkConfig(folder.path, [], { TASKCAST_STORAGE: "sqlitee" });
  assert.deepEqual(misspelt.errors, [
    'There is no adapter "sqlitee": did you mean "sqlite"?',
  ]);
});

Deno.test("config check shows neither secrets nor queries of webhooks", async () => {
  await using folder = await tempFolder({
    "a.yaml": "webhook: { hooks: [{ name: audit, secret: hush-hush, " +
      "url: 'https://me:hush@a.example/h?key=hush' }] }",
  });
  for (const args of [["config", "check"], ["config", "check", "--json"]]) {
    const { code, out, err } = await runInProcess([...args, "-c", "a.yaml"], {}, folder.path);
    assert.equal(code === 0 || /no user and password/.test(out + err), true, err);
    assert(!(out + err).includes("hush"), out);
  }
  await Deno.writeTextFile(
    `${folder.path}/b.yaml`,
    "webhook: { hooks: [{ name: audit, secret: hush-hush, url: 'https://a.example/h?key=hush' }] }",
  );
  const { code, out } = await runInProcess(["config", "check", "-c", "b.yaml"], {}, folder.path);
  assert.equal(code, 0);
  assert.match(out, /"secret":"••••••"/);
  assert.match(out, /https:\/\/a\.example\/h\?key=••••••/);
  assert(!out.includes("hush"), out);
});

Deno.test("a rule that deletes whole tasks despite an archive is reported with advice", async () => {
  await using folder = await tempFolder({
    "a.yaml": `
adapters: { longTerm: { provider: sqlite, path: a.db } }
cleanup:
  rules:
    - { name: all of it, target: all, trigger: { afterMs: 604800000 } }
    - { target: events, trigger: { afterMs: 1 } }
`,
  });
  const { warnings } = await checkConfig(folder.path, ["-c", "a.yaml"]);
  assert.deepEqual(warnings, [
    "cleanup.rules[0] (all of it) also deletes archived history after 7 days; for hot data only leave " +
    "the rule out, since tasks leave the hot store anyway after 1 hour (engine.hotRetentionMs)",
  ]);
  await using server = await startCli(["-c", "a.yaml"], {}, folder.path);
  assert.match(server.process.err, /warn {2}cleanup\.rules\[0\] .* also deletes archived history/);
});

Deno.test({
  name: "without permissions and a terminal the command says which it needs",
  ignore: ELSEWHERE,
  async fn() {
    const [deno, file] = [COMMAND[0], COMMAND.at(-1)!];
    const run = async (flags: string[], args: string[]) => {
      const { code, stderr, stdout } = await new Deno.Command(deno, {
        args: ["run", "--quiet", ...flags, file, ...args],
        env: { NO_COLOR: "1", TASKCAST_PORT: "0" },
        stdin: "null",
      }).output();
      const decoder = new TextDecoder();
      return { code, err: decoder.decode(stderr), out: decoder.decode(stdout) };
    };
    const bare = await run([], []);
    assert.equal(bare.code, 1);
    assert.match(
      bare.err,
      /^error: Deno .*: --allow-env --allow-read --allow-net --allow-sys\nerror: run it with -A, .*\n$/,
    );
    const some = await run(["--allow-env"], ["run", "--", "true"]);
    assert.match(some.err, /^error: .* needs: --allow-read --allow-net --allow-run\nerror: run it/);
    const noRead = await run(["--allow-env", "--allow-net"], ["config", "check"]);
    assert.match(noRead.err, /^error: .* needs: --allow-read\nerror: run it with -A, .*\n$/);
    assert.equal((await run(["--allow-env"], ["--help"])).code, 0);
    // A part may be enough.
    const root = new URL("../../", import.meta.url).pathname;
    const part = await run(["--allow-env", `--allow-read=${root}`], ["config", "check"]);
    assert.equal(part.code, 0, part.err);
  },
});

Deno.test("files in UTF-16 are named as such, for every kind of file", async () => {
  const utf16 = (text: string) => {
    const units = Uint16Array.from("\ufeff" + text, (character) => character.charCodeAt(0));
    return new Uint8Array(units.buffer);
  };
  await using folder = await tempFolder({
    "key.yaml": "auth: { mode: jwt, jwt: { algorithm: ES256, publicKeyFile: ./jwt.pub } }",
  });
  const files = {
    "a.yaml": "port: 1",
    "a.json": "{}",
    "a.ts": "export default {};",
    "jwt.pub": "x",
  };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeFile(`${folder.path}/${name}`, utf16(text));
  }
  const errorOf = async (file: string) => {
    const { errors } = await checkConfig(folder.path, ["-c", file]);
    return errors!.join("\n");
  };
  for (const name of ["a.yaml", "a.json", "a.ts"]) {
    assert.equal(await errorOf(name), `${name}: cannot be read: it is UTF-16; save it as UTF-8`);
  }
  assert.match(
    await errorOf("key.yaml"),
    /jwt\.pub cannot be read: it is UTF-16; save it as UTF-8$/,
  );
});

Deno.test("a SQLite file that another process has locked is reported as locked", async () => {
  const { DatabaseSync } = await import("node:sqlite");
  await using folder = await tempFolder({});
  const other = new DatabaseSync(`${folder.path}/a.db`);
  other.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE t (a)");
  try {
    const { code, err } = await runCli(
      ["--sqlite-path", "a.db"],
      { TASKCAST_PORT: "0" },
      folder.path,
    );
    assert.equal(code, 1);
    assert.match(
      err,
      /^error: Cannot use sqlite: .*"a\.db": another process has locked the file: /,
    );
  } finally {
    other.close();
  }
});
