import assert from "node:assert/strict";
import { cli, COMMAND, ELSEWHERE, runCli } from "../../testing/servers/cli.ts";
import { freePort } from "../../testing/network/free_port.ts";
import { until } from "../../testing/sse/sse.ts";
import { startServer } from "../../testing/servers/test_server.ts";

// How `taskcast run` and other commands end when their reader disconnects, or when the process that
// they run is ended.

/** Runs `taskcast … | head -1`, as a shell does. */
async function headOf(args: string[]): Promise<{ code: number; out: string; err: string }> {
  const quoted = [...COMMAND, ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: ["-c", `set -o pipefail; ${quoted.join(" ")} | head -1`],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

const sh = (script: string) => ["--", "sh", "-c", script];

const idIn = (err: string) => /tasks\/(\w+)\/events/.exec(err)?.[1] ?? "";

Deno.test("run piped into head: the command ends as in any pipeline, and so does the task", async () => {
  await using server = startServer();
  const run = async (...command: string[]) => {
    const { code, out, err } = await headOf(["run", "--url", server.url, ...command]);
    // Pipes of Node are sockets, so the command gets an error, which it may print.
    const lines = err.trimEnd().split("\n").filter((line) =>
      !(ELSEWHERE && line.startsWith("yes:"))
    );
    assert.equal(lines.length, 1, err); // The address of the task, and no stack trace.
    assert.equal(out.trimEnd().split("\n").length, 1);
    return { code, task: (await server.engine.getTask(idIn(err)))! };
  };
  const [endless, patient] = await Promise.all([
    run("--", "yes"),
    // A process that writes nothing more still finishes.
    run(...sh("echo begun; echo again; sleep 0.3")),
  ]);
  assert.deepEqual([endless.task.status, endless.task.reason], [
    "cancelled",
    "the output was closed",
  ]);
  const how = [endless.code, endless.task.result?.signal];
  assert.deepEqual(how, ELSEWHERE ? [1, undefined] : [141, "SIGPIPE"]);
  assert.deepEqual([patient.code, patient.task.status], [0, "completed"]);
});

Deno.test("logs and config piped into head end silently", async () => {
  await using server = startServer();
  const { id } = await server.engine.createTask();
  await server.engine.publishEvents(
    id,
    Array.from({ length: 1_000 }, (_, n) => ({ type: "n", data: { n, text: "x".repeat(500) } })),
  );
  const commands = [["logs", id, "--json", "--url", server.url], ["config", "schema"]];
  for (const { code, err } of await Promise.all(commands.map(headOf))) {
    assert.deepEqual({ code, err }, { code: 0, err: "" });
  }
});

Deno.test("output on a full disk is reported in one line", async () => {
  await using server = startServer();
  const { id } = await server.engine.createTask();
  await server.engine.publishEvent(id, { type: "n", data: 1 });
  for (
    const args of [["logs", id, "--json", "--url", server.url], ["config", "schema"], ["--help"]]
  ) {
    const { code, err } = await onFullDisk(args, ">");
    assert.equal(code, 1);
    assert.match(err, /^error: the output cannot be written: .*no space left on device.*\n$/i);
  }
});

Deno.test("on a full disk only remarks and logs are lost", async () => {
  await using server = startServer();
  const run = ["run", "--url", server.url, ...sh("echo shown; exit 3")];
  assert.deepEqual(await onFullDisk(run, "2>"), { code: 3, out: "shown\n", err: "" });
  const port = String(freePort());
  const [program, ...words] = COMMAND;
  const child = new Deno.Command("bash", {
    args: ["-c", 'exec "$@" 2>/dev/full', "bash", program, ...words, "start", "--port", port],
  }).spawn();
  const isUp = () => fetch(`http://127.0.0.1:${port}/health`).then((r) => r.text(), () => "");
  let answer = "";
  let hasEnded = false;
  void child.status.then(() => hasEnded = true);
  await until(async () => (answer = await isUp()) !== "" || hasEnded, "it serves or has ended");
  assert.equal(answer, '{"status":"ok"}');
  child.kill("SIGTERM");
  assert.equal((await child.status).code, 0);
});

/** Runs `taskcast` with one of its outputs on a full disk. */
async function onFullDisk(
  args: string[],
  redirection: ">" | "2>",
): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command("bash", {
    args: ["-c", `exec "$@" ${redirection}/dev/full`, "bash", ...COMMAND, ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

Deno.test("run: the task ends if the command is killed or interrupted", async () => {
  await using server = startServer();
  const begin = async (script: string, url = server.url) => {
    const running = cli(["run", "--url", url, ...sh(script)]);
    await until(() => running.out.includes("begun"), "the command runs");
    return { running, id: idIn(running.err), pid: Number(/\d+/.exec(running.out)?.[0]) };
  };
  const endOf = async ({ running, id }: Awaited<ReturnType<typeof begin>>) => {
    const code = await running.ended;
    const task = await server.engine.getTask(id);
    return { code, status: task?.status, signal: task?.result?.signal, err: running.err };
  };

  // Its child keeps the output open, which must not delay the end.
  const killed = await begin("echo $$ begun; sleep 30; true");
  Deno.kill(killed.pid, "SIGKILL");
  const { err: _, ...end } = await endOf(killed);
  assert.deepEqual(end, { code: 137, status: "failed", signal: "SIGKILL" });

  // It ignores the first signal; the second ends it.
  const stubborn = await begin(
    "trap 'echo heard' INT; echo begun; while :; do sleep 0.05; done",
  );
  stubborn.running.kill("SIGINT");
  await until(() => stubborn.running.out.includes("heard"), "it was asked");
  stubborn.running.kill("SIGINT");
  const twice = await endOf(stubborn);
  assert.deepEqual([twice.code, twice.status, twice.signal], [137, "cancelled", "SIGKILL"]);

  const hungUp = await begin("echo begun; exec sleep 30");
  hungUp.running.kill("SIGHUP");
  const closed = await endOf(hungUp);
  assert.deepEqual([closed.code, closed.status, closed.signal], [129, "cancelled", "SIGHUP"]);

  // The terminal signalled the command only.
  const told = await begin("echo $$ begun; kill -INT $$; sleep 30");
  assert.equal((await endOf(told)).status, "cancelled");

  // It ends at the first one; the second arrives during the request to the server.
  await using proxy = holding(server.url, "cancelled");
  const late = await begin("echo begun; exec sleep 30", proxy.url);
  late.running.kill("SIGINT");
  await proxy.isAsked;
  late.running.kill("SIGTERM");
  proxy.answer();
  const { code, status } = await endOf(late);
  assert.deepEqual([code, status], [130, "cancelled"]);
});

/** Starts a server in front of another one that delays the request for a transition. */
function holding(url: string, status: string) {
  const { promise: isAsked, resolve: asked } = Promise.withResolvers<void>();
  const { promise: mayAnswer, resolve: answer } = Promise.withResolvers<void>();
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    async ({ method, headers, url: requestUrl, body }) => {
      const text = method === "PATCH" ? await new Response(body).text() : body;
      if (typeof text === "string" && text.includes(status)) {
        asked();
        await mayAnswer;
      }
      return await fetch(url + new URL(requestUrl).pathname, { method, headers, body: text });
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    isAsked,
    answer,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("run: at the last signal, the command exits even if the server does not answer", async () => {
  using mute = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const url = `http://127.0.0.1:${(mute.addr as Deno.NetAddr).port}`;
  await using running = cli(["run", "--url", url, ...sh("true")]);
  using _connection = await mute.accept();
  running.kill("SIGINT");
  running.kill("SIGTERM"); // Two signals of a kind may arrive as one.
  assert([130, 143].includes(await running.ended));
  assert.equal(running.err, "error: taskcast: left before the server answered\n");
});

Deno.test("run: a task that ended elsewhere stops the command and is reported", async () => {
  await using server = startServer();
  const ends: [end: (id: string) => Promise<unknown>, said: RegExp][] = [
    [
      (id) => server.engine.transitionTask(id, "cancelled", { reason: "enough" }),
      /^taskcast: task \w+ was cancelled elsewhere: enough$/m,
    ],
    [
      (id) => server.engine.transitionTask(id, "completed"),
      /^taskcast: task \w+ was ended elsewhere, as completed$/m,
    ],
    [(id) => server.engine.transitionTask(id, "timeout"), /^taskcast: task \w+ timed out$/m],
    [(id) => server.engine.deleteTask(id), /^taskcast: task \w+ was deleted elsewhere$/m],
  ];
  await Promise.all(ends.map(async ([end, said]) => {
    await using running = cli(["run", "--url", server.url, ...sh("echo begun; exec sleep 30")]);
    await until(() => running.out === "begun\n", "the command runs");
    await end(idIn(running.err));
    assert.equal(await running.ended, 143);
    assert.match(running.err, said);
    assert(!running.err.includes("error"), running.err);
  }));
});

Deno.test("run: a task that refuses more output does not stop the command, and ends with it", async () => {
  await using server = startServer({ engine: { limits: { maxEventsPerTask: 1 } } });
  const { code, out, err } = await runCli([
    "run",
    "--url",
    server.url,
    ...sh("echo a; sleep 0.3; echo b; exit 3"),
  ]);
  assert.deepEqual({ code, out }, { code: 3, out: "a\nb\n" });
  assert.match(err, /^error: taskcast: the task gets no more output: .*its log is at its limit/m);
  const { status, result } = (await server.engine.getTask(idIn(err)))!;
  assert.deepEqual([status, result?.exitCode], ["failed", 3]);
  assert.match(String(result?.outputError), /its log is at its limit/);
});

Deno.test("run: an impossible command is reported, and its task has failed", async () => {
  await using server = startServer();
  const { code, err } = await runCli(["run", "--url", server.url, "--", ""]);
  assert.equal(code, 127);
  assert.match(err, /^error: Cannot run "": /m);
  const { status, error } = (await server.engine.getTask(idIn(err)))!;
  assert.deepEqual([status, error?.code], ["failed", "NOT_STARTED"]);
});

Deno.test("a token that a header cannot contain is refused, and not shown", async () => {
  for (const token of ["sec\nret", "secrét€"]) {
    const { code, err } = await runCli(["logs", "x"], { TASKCAST_TOKEN: token });
    assert.equal(code, 1);
    assert.equal(
      err,
      "error: --token (TASKCAST_TOKEN) has characters that no token has, as spaces or line breaks in it\n",
    );
  }
});

Deno.test("control characters of others are not written to a terminal", async () => {
  await using server = startServer();
  await using running = cli(["run", "--url", server.url, ...sh("echo begun; exec sleep 30")]);
  await until(() => running.out === "begun\n", "the command runs");
  const id = idIn(running.err);
  await server.engine.publishEvent(id, { type: "t\x1b[2J", data: "\x1b[2J\x9b2J" });
  await server.engine.transitionTask(id, "cancelled", { reason: "enough\x1b[2J\nerror: no" });
  assert.equal(await running.ended, 143);
  const { err } = await runCli(["logs", id, "--url", server.url]);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(running.err + err, /[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
  assert.match(running.err, /cancelled elsewhere: enough\\u001b\[2J\\u000aerror: no$/m);
  assert.match(err, /t\\u001b\[2J "\\u001b\[2J\\u009b2J"$/m);
});

Deno.test("run: a task may end elsewhere at the same moment as the command", async () => {
  await using server = startServer();
  await using proxy = holding(server.url, "failed");
  await using running = cli(["run", "--url", proxy.url, ...sh("exit 3")]);
  await proxy.isAsked;
  const id = idIn(running.err);
  await server.engine.transitionTask(id, "cancelled");
  proxy.answer();
  assert.equal(await running.ended, 3);
  assert.match(running.err, new RegExp(`^taskcast: task ${id} was cancelled elsewhere$`, "m"));
  assert(!running.err.includes("error"), running.err);
});

Deno.test("commands report an unreachable server and what to do", async () => {
  const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${(free.addr as Deno.NetAddr).port}`;
  free.close();
  for (
    const args of [["run", "--url", url, "--", "true"], ["logs", "x", "--url", url], [
      "logs",
      "x",
      "--follow",
      "--url",
      url,
    ], ["webhooks", "list", "--url", url]]
  ) {
    const { code, err } = await runCli(args);
    assert.equal(code, 1);
    const [what, next] = err.split("\n");
    assert.match(what!, new RegExp(`^error: cannot reach the server at ${url}: .*refused`, "i"));
    assert.match(next!, /^error: start one with `taskcast start`, or .* --url or TASKCAST_URL$/);
  }
});
