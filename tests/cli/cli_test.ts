import assert from "node:assert/strict";
import { TaskcastClient } from "@taskcast/client";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import { SignJWT } from "jose";
import denoJson from "../../cli/deno.json" with { type: "json" };
import { ENVIRONMENT_KEYS } from "../../cli/config/schema/keys.ts";
import { cli, runCli, startCli } from "../../testing/servers/cli.ts";
import { runInProcess } from "../../testing/servers/in_process.ts";
import { allFrames, frames, until } from "../../testing/sse/sse.ts";
import { startServer } from "../../testing/servers/test_server.ts";

Deno.test("taskcast --help and --version list commands, options and variables", async () => {
  const help = await runInProcess(["--help"]);
  assert.equal(help.code, 0);
  for (const word of ["start", "run", "logs", "--help", "--version"]) {
    assert(help.out.includes(word), word);
  }
  const start = await runInProcess(["start", "--help"]);
  for (const word of ["--port", "TASKCAST_PORT", "3721", "--host", "--log-level", "--cors"]) {
    assert(start.out.includes(word), word);
  }
  // Variables without an option are listed, too, e.g. those of authentication.
  for (const { env } of ENVIRONMENT_KEYS) assert(start.out.includes(env), env);
  assert.match(start.out, /TASKCAST_AUTH_MODE .*one of none, jwt, custom; default: none/);
  assert.match(start.out, /TASKCAST_LOG_LEVEL,\s+default:\s+info/);
  assert.deepEqual(await runInProcess(["--version"]), {
    code: 0,
    out: `${denoJson.version}\n`,
    err: "",
  });
});

Deno.test("a wrong command line exits with 2 and says what is wrong", async () => {
  const wrong: [string[], RegExp][] = [
    [["--prot", "1"], /unknown option '--prot'[\s\S]*--port[\s\S]*\(taskcast start --help tells/],
    [["start", "--port", "70000"], /--port must be a number from 0 to 65535/],
    [["start", "--log-level", "loud"], /It must be one of debug, info, warn, error\n/],
    [["start", "--log-level", "wran"], /debug, info, warn, error; did you mean "warn"\?\n/],
    [["start", "--listener", "nod"], /node, deno; did you mean "node"\?\n/],
    [["start", "--max-memory", "0"], /--max-memory must be a number from 1 to/],
    [["bogus"], /^error: there is no command "bogus"; known are start, config, .*, help\n/],
    [["strat", "--port", "1"], /^error: there is no command "strat"; did you mean "start"\?\n/],
    [["webhook", "list"], /^error: there is no command "webhook"; did you mean "webhooks"\?\n/],
    [["a\x1b[31m"], /^error: there is no command "a\\u001b\[31m"; /],
    [["config", "chek"], /unknown command 'chek'[\s\S]*check/],
    [["help", "strat"], /^error: there is no command "strat"; did you mean "start"\?\n/],
    [["run"], /missing required argument[\s\S]*\(taskcast run --help tells more\)\n$/],
    [["logs"], /missing required argument[\s\S]*\(taskcast logs --help tells more\)\n$/],
    [["webhooks", "retry"], /\(taskcast webhooks retry --help tells more\)\n$/],
  ];
  await Promise.all(wrong.map(async ([args, message]) => {
    const { code, err, out } = await runInProcess(args);
    assert.match(err, message);
    assert.deepEqual([code, out], [2, ""], args.join(" "));
  }));
});

Deno.test("a wrong environment stops the start with one clear line", async () => {
  const wrong: [Record<string, string>, RegExp][] = [
    [{ TASKCAST_PORT: "http" }, /^error: TASKCAST_PORT must be a number .*"http"$/],
    [{ TASKCAST_LOG_LEVEL: "loud" }, /^error: TASKCAST_LOG_LEVEL must be one of .*"loud"$/],
    [{ TASKCAST_AUTH_MODE: "open" }, /^error: TASKCAST_AUTH_MODE must be one of none, jwt, custom/],
    [{ TASKCAST_LOG_LEVEL: "wran" }, /and is "wran"; did you mean "warn"\?$/],
    [{ TASKCAST_JWT_ALGORITHM: "RS265" }, /and is "RS265"; did you mean "RS256"\?$/],
    [{ TASKCAST_AUTH_MODE: "jwt" }, /^error: .*needs TASKCAST_JWT_SECRET$/],
    [
      { TASKCAST_JWT_SECRET: "s".repeat(40) },
      /^error: TASKCAST_JWT_SECRET needs TASKCAST_AUTH_MODE/,
    ],
  ];
  await Promise.all(wrong.map(async ([env, message]) => {
    const { code, err } = await runInProcess(["start"], { TASKCAST_PORT: "0", ...env });
    assert.match(err.trimEnd(), message);
    assert.equal(err.trimEnd().split("\n").length, 1, err);
    assert.equal(code, 1);
    assert(!err.includes("s".repeat(40)), "secrets are not shown");
  }));
});

Deno.test("a port that is taken ends the start with 1 and one line that names it", async () => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  const { code, err } = await runCli(["--host", "127.0.0.1", "-p", String(port)]);
  taken.close();
  assert.equal(code, 1);
  assert.equal(
    err,
    `error: Cannot listen on 127.0.0.1:${port}: it is in use by another process; ` +
      "choose another with --port or TASKCAST_PORT\n",
  );
});

Deno.test("start: serves, prints its address, and drains on SIGTERM and SIGINT", async () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    await using server = await startCli(["--host", "127.0.0.1"]);
    assert.match(
      server.process.err,
      /^Taskcast \d+\.\d+\.\d+ listens on http:\/\/127\.0\.0\.1:\d+ /,
    );
    const taskcast = new TaskcastServerClient({ baseUrl: server.url });
    const { id } = await taskcast.createTask();
    await taskcast.publishEvent(id, { type: "a", data: 1 });
    const seen: (string | undefined)[] = [];
    const reading = (async () => {
      for await (const { event } of frames(`${server.url}/tasks/${id}/events`)) seen.push(event);
    })();
    await until(() => seen.length === 2, "the stream has begun");
    server.process.kill(signal);
    await reading; // Ends cleanly, without the end of the task.
    assert.deepEqual(seen, ["taskcast.open", "taskcast.event"]);
    assert.equal(await server.process.ended, 0);
  }
});

Deno.test("start: authentication is set by the environment, and no secret is logged", async () => {
  const secret = "a secret of more than thirty-two bytes";
  await using server = await startCli(["--log-level", "debug"], {
    TASKCAST_AUTH_MODE: "jwt",
    TASKCAST_JWT_SECRET: secret,
    TASKCAST_JWT_ALGORITHM: "HS256",
  });
  const token = await new SignJWT({ taskIds: "*", scope: ["*"] })
    .setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(secret));
  assert.equal((await fetch(`${server.url}/tasks`)).status, 401);
  const taskcast = new TaskcastServerClient({ baseUrl: server.url, token });
  const { id } = await taskcast.createTask();
  await until(() => server.process.err.includes(`task ${id} created`), "the debug log has it");
  assert(!server.process.err.includes(secret) && !server.process.err.includes(token));
});

Deno.test("start: the JSON log has one object per line, includes the access log and has no secrets", async () => {
  const secret = "a secret of more than thirty-two bytes";
  await using server = await startCli(["--log-level", "debug", "--host", "127.0.0.1"], {
    TASKCAST_LOG_FORMAT: "json",
    TASKCAST_AUTH_MODE: "jwt",
    TASKCAST_JWT_SECRET: secret,
  });
  const token = await new SignJWT({ taskIds: "*", scope: ["*"] })
    .setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(secret));
  const headers = { authorization: `Bearer ${token}`, "x-request-id": "r1" };
  await (await fetch(`${server.url}/tasks/t1?_secret=hush`, { headers })).body?.cancel();
  await (await fetch(`${server.url}/no/such/path?hush`, { headers })).body?.cancel();
  const lines = () => server.process.err.trimEnd().split("\n").map((line) => JSON.parse(line));
  await until(() => server.process.err.includes('"GET other"'), "the access log");
  const [started, answered, unknown] = lines();
  assert.match(started.time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  const { level, url, auth } = started;
  assert.deepEqual({ level, url, auth }, { level: "info", url: server.url, auth: "jwt" });
  const { time: _, durationMs, msg, ...rest } = answered;
  assert.deepEqual(rest, {
    level: "debug",
    requestId: "r1",
    taskId: "t1",
    operation: "GET /tasks/{id}",
    status: 404,
  });
  assert.equal(msg, `GET /tasks/{id} 404 in ${durationMs} ms`);
  assert.equal(unknown.operation, "GET other");
  for (const hidden of [secret, token, "hush", "/no/such"]) {
    assert(!server.process.err.includes(hidden), hidden);
  }
  server.process.kill("SIGTERM");
  assert.equal(await server.process.ended, 0);
  assert.match(lines().at(-1).msg, /^SIGTERM: ending streams/);
});

Deno.test("start: without a terminal, an error at the start is also a line of JSON", async () => {
  const { code, err } = await runInProcess(["start"], {
    TASKCAST_LOG_FORMAT: "",
    TASKCAST_PORT: "x",
  });
  assert.equal(code, 1);
  const { level, msg } = JSON.parse(err);
  assert.equal(level, "error");
  assert.match(msg, /^TASKCAST_PORT must be a number/);
});

Deno.test("start: warns about missing authentication, unless it is configured", async () => {
  await using open = await startCli(["--host", "0.0.0.0"]);
  await until(() => open.process.err.includes("auth is off"), "the warning");
  await using quiet = await startCli(["--host", "0.0.0.0"], { TASKCAST_LOG_LEVEL: "error" });
  assert(!quiet.process.err.includes("auth is off"));
});

/**
 * Returns the text of a task's `stdout` series for a reader that is disconnected again and again.
 */
async function readStdout(
  url: string,
  taskId: string,
  framesPerConnection: number,
): Promise<string> {
  const client = new TaskcastClient({ baseUrl: url });
  let text = "";
  let cursor: string | undefined;
  for (;;) {
    let left = framesPerConnection;
    const stream = client.stream(taskId, { since: { id: cursor } });
    for await (const event of stream) {
      if (event.seriesId === "stdout") {
        const { delta } = event.data as { delta: string };
        text = event.seriesSnapshot ? delta : text + delta;
      }
      if (--left === 0) break;
    }
    if (stream.reason !== undefined) return text;
    cursor = stream.cursor;
  }
}

Deno.test("run: a late join and a reconnect get the whole output of a real command", async () => {
  await using server = startServer();
  const command = [Deno.execPath(), "test", "-A", "--no-check", "core/domain", "core/protocol"];
  const running = cli(["run", "--type", "ci.test", "--url", server.url, "--", ...command]);
  await using _ = running;
  let taskId = "";
  await until(() => {
    taskId = /tasks\/(\w+)\/events/.exec(running.err)?.[1] ?? "";
    return taskId !== "";
  }, "the task's address is printed");
  await until(() => running.out !== "", "the command's output is shown while it runs");
  const lateJoiner = readStdout(server.url, taskId, Infinity);
  const reconnecting = readStdout(server.url, taskId, 2);
  assert.equal(await running.ended, 0);
  const lastJoiner = readStdout(server.url, taskId, Infinity);

  const shown = running.outBytes();
  assert(shown.length > 1_000);
  for (const text of await Promise.all([lateJoiner, reconnecting, lastJoiner])) {
    assert.deepEqual(new TextEncoder().encode(text), shown);
  }
  const task = await server.engine.getTask(taskId);
  assert.equal(task?.status, "completed");
  assert.equal(task?.type, "ci.test");
  assert.equal(task?.result?.exitCode, 0);
  assert.deepEqual(task?.params?.command, command);
});

const sh = (script: string) => ["--", "sh", "-c", script];

Deno.test("run: a command that fails, is killed or does not exist fails the task", async () => {
  await using server = startServer();
  const run = async (...args: string[]) => {
    const { code, out, err } = await runCli(["run", "--url", server.url, ...args]);
    const id = /tasks\/(\w+)\/events/.exec(err)![1]!;
    return { code, out, err, task: (await server.engine.getTask(id))! };
  };
  const failed = await run(...sh("echo out; echo err >&2; exit 7"));
  assert.equal(failed.code, 7);
  assert.equal(failed.out, "out\n");
  assert.match(failed.err, /^err$/m);
  assert.deepEqual(
    [failed.task.status, failed.task.result?.exitCode, failed.task.error?.code],
    ["failed", 7, "EXIT_CODE"],
  );
  const killed = await run(...sh("kill -9 $$"));
  assert.deepEqual(
    [killed.code, killed.task.status, killed.task.error?.code, killed.task.result?.signal],
    [137, "failed", "SIGNAL", "SIGKILL"],
  );
  const missing = await run("--", "no-such-command-anywhere");
  assert.deepEqual([missing.code, missing.task.error?.code], [127, "NOT_STARTED"]);
  assert.match(missing.err, /Cannot run "no-such-command-anywhere"/);
});

Deno.test("run: SIGINT cancels the task, and cancelling the task stops the command", async () => {
  await using server = startServer();
  const begin = async (script: string) => {
    const running = cli(["run", "--url", server.url, ...sh(`echo begun; ${script}`)]);
    await until(() => running.out === "begun\n", "the command runs");
    return { running, id: /tasks\/(\w+)\/events/.exec(running.err)![1]! };
  };
  const interrupted = await begin("exec sleep 60");
  interrupted.running.kill("SIGINT");
  assert.equal(await interrupted.running.ended, 130);
  assert.equal((await server.engine.getTask(interrupted.id))?.status, "cancelled");

  // A process that the command leaves behind holds its output open, which must not block.
  const cancelled = await begin("sleep 60");
  await server.engine.transitionTask(cancelled.id, "cancelled");
  assert.notEqual(await cancelled.running.ended, 0);
  assert.match(cancelled.running.err, /^taskcast: task \w+ was cancelled elsewhere$/m);
});

Deno.test("logs: a missing task is reported in one clear line", async () => {
  await using server = startServer();
  const { code, err } = await runCli(["logs", "none", "--url", server.url]);
  assert.equal(code, 1);
  assert.match(err, /^error: .*none/);
  // Refusals before any request have the same form.
  for (const args of [["logs", ".."], ["logs", "..", "--follow"]]) {
    const refused = await runCli([...args, "--url", server.url]);
    assert.equal(refused.code, 1, args.join(" "));
    assert.match(refused.err, /^error: [^\n]*not only dots\n$/);
  }
});

Deno.test("logs: prints the stored events, and with --follow all events through the end", async () => {
  await using server = startServer();
  const { engine } = server;
  const { id } = await engine.createTask();
  const text = (delta: string, seriesId = "stdout") =>
    engine.publishEvent(id, {
      type: `process.${seriesId}`,
      data: { delta },
      seriesId,
      seriesMode: "accumulate",
    });
  await text("Hel");
  await text("lo\n");
  await engine.publishEvent(id, { type: "progress", data: { percent: 50 }, level: "warn" });
  const stored = await runCli(["logs", id, "--url", server.url]);
  assert.deepEqual([stored.code, stored.out], [0, "Hello\n"]);
  assert.match(stored.err, /progress \{"percent":50\}/);

  const following = cli(["logs", id, "--follow", "--url", server.url]);
  await using _ = following;
  await until(() => following.out === "Hello\n", "the stored events are printed");
  await text("more 🎉");
  await text("oops\n", "stderr");
  await engine.transitionTask(id, "completed");
  assert.equal(await following.ended, 0);
  assert.equal(following.out, "Hello\nmore 🎉");
  assert.match(following.err, /oops\n/);
  assert.match(following.err, /ended: completed\n$/);

  const json = await runCli(["logs", id, "--json", "--url", server.url]);
  const types = json.out.trimEnd().split("\n").map((line) => JSON.parse(line).type);
  const stream = await allFrames(`${server.url}/tasks/${id}/events?since.timestamp=0`);
  assert.deepEqual(
    types,
    stream.filter(({ event }) => event === "taskcast.event").map(({ data }) => data.type),
  );
});

Deno.test("logs --follow reconnects by itself when the server is back", async () => {
  const first = startServer();
  const port = Number(new URL(first.url).port);
  const { id } = await first.engine.createTask();
  await first.engine.publishEvent(id, { type: "a", data: 1 });
  const following = cli(["logs", id, "--follow", "--url", first.url]);
  await using _ = following;
  await until(() => following.err.includes("a 1"), "the event is printed");
  await first[Symbol.asyncDispose]();
  await until(() => following.err.includes("connection lost"), "the loss is noticed");
  // Another server with another memory no longer has the task, and says so.
  await using _second = Deno.serve(
    { port, hostname: "127.0.0.1", onListen() {} },
    () =>
      Response.json({ error: { code: "TASK_NOT_FOUND", message: `no task ${id}` } }, {
        status: 404,
      }),
  );
  assert.equal(await following.ended, 1);
  assert.match(following.err, new RegExp(`error: no task ${id}`));
});
