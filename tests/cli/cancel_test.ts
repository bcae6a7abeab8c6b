import assert from "node:assert/strict";
import { fakeClock } from "../../testing/fake_clock.ts";
import { cli, runCli } from "../../testing/servers/cli.ts";
import { until } from "../../testing/sse/sse.ts";
import { startServer } from "../../testing/servers/test_server.ts";

Deno.test("taskcast cancel asks a task to stop, and says by when it is cancelled", async () => {
  await using server = startServer();
  const { id } = await server.engine.createTask();
  await server.engine.transitionTask(id, "running");
  const args = ["cancel", id, "--url", server.url];
  const asked = await runCli([...args, "--grace", "5m", "--reason", "enough"]);
  assert.equal(asked.code, 0);
  const expected = `task ${id} is asked to stop; it is cancelled in \\d+ s at the latest\n`;
  assert.match(asked.out, new RegExp(`^${expected}$`));
  assert.equal((await server.engine.getTask(id))!.cancel!.reason, "enough");

  await using waiting = cli([...args, "--wait", "--json"]);
  await until(async () => (await server.engine.getTask(id))!.subscriberCount > 0, "it waits");
  await server.engine.transitionTask(id, "cancelled");
  assert.equal(await waiting.ended, 0);
  assert.equal(JSON.parse(waiting.out).status, "cancelled");
});

Deno.test("taskcast cancel without grace cancels at once, and other ends are errors", async () => {
  await using server = startServer();
  const { id } = await server.engine.createTask();
  await server.engine.transitionTask(id, "running");
  const { code, out } = await runCli(["cancel", id, "--url", server.url, "--grace", "0s"]);
  assert.equal(code, 0);
  assert.match(out, new RegExp(`^task ${id} is cancelled, after \\d+ ms\n$`));
  const done = await server.engine.createTask();
  await server.engine.transitionTask(done.id, "completed");
  const late = await runCli(["cancel", done.id, "--url", server.url]);
  assert.deepEqual([late.code, late.out], [1, ""]);
  assert.match(late.err, /^error: Cannot cancel task ".+": it is "completed"\n/);
  const wrong = await runCli(["cancel", id, "--grace", "1h"]);
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /It must be at most 10m/);
});

Deno.test("taskcast run ends its command when somebody asks the task to stop", async () => {
  await using server = startServer();
  await using running = cli(["run", "--url", server.url, "--", "sleep", "600"]);
  const idIn = () => /tasks\/(\w+)\/events/.exec(running.err)?.[1] ?? "";
  await until(
    async () => idIn() !== "" && (await server.engine.getTask(idIn()))!.status === "running",
    "the command runs",
  );
  const { code } = await runCli(["cancel", idIn(), "--url", server.url, "--grace", "1m", "--wait"]);
  assert.equal(code, 0);
  assert.equal(await running.ended, 143);
  const task = (await server.engine.getTask(idIn()))!;
  assert.deepEqual([task.status, task.reason], ["cancelled", "asked to stop"]);
  assert.notEqual(task.cancel!.seenAt, undefined);
  assert.match(running.err, new RegExp(`task ${task.id} is asked to stop`));
});

Deno.test("a task fails with PRODUCER_LOST once taskcast run was killed", async () => {
  const clock = fakeClock();
  await using server = startServer({ engine: { clock } });
  await clock.pass(60_000);
  await using running = cli(["run", "--url", server.url, "--", "sleep", "600"]);
  const idIn = () => /tasks\/(\w+)\/events/.exec(running.err)?.[1] ?? "";
  await until(
    async () => idIn() !== "" && (await server.engine.getTask(idIn()))!.leaseSince !== undefined,
    "it has a lease",
  );
  const id = idIn();
  running.kill("SIGKILL");
  await running.ended;
  await clock.pass(29_000);
  assert.equal((await server.engine.getTask(id))!.status, "running");
  await clock.pass(2_000);
  const { status, error } = (await server.engine.getTask(id))!;
  assert.deepEqual([status, error?.code], ["failed", "PRODUCER_LOST"]);
});
