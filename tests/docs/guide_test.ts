import assert from "node:assert/strict";
import type { TaskcastConfig } from "@taskcast/core";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import { SignJWT } from "jose";
import { readYaml } from "../../cli/config/file/read_yaml.ts";
import { fakeClock } from "../../testing/fake_clock.ts";
import { postgresUrl } from "../../testing/databases/postgres_server.ts";
import { redisUrl } from "../../testing/databases/redis_server.ts";
import { startSentryEndpoint } from "../../testing/servers/sentry_endpoint.ts";
import { frames } from "../../testing/sse/sse.ts";
import { startServer } from "../../testing/servers/test_server.ts";

// Runs the code of the user's deployment guide unchanged. Only the network differs: the name of its
// host resolves to a server of this test.

const secret = "a secret of more than thirty-two bytes";

async function token(claims: { taskIds: string | string[]; scope: string[] }): Promise<string> {
  return await new SignJWT(claims).setProtectedHeader({ alg: "HS256" })
    .sign(new TextEncoder().encode(secret));
}

Deno.test("the guide's producer and consumer work as written", async () => {
  await using server = startServer({
    app: { auth: { mode: "jwt", jwt: { algorithm: "HS256", secret } } },
  });
  const realFetch = globalThis.fetch;
  const realLog = console.log;
  const logged: unknown[][] = [];
  try {
    globalThis.fetch = (input, init) =>
      realFetch(String(input).replace("http://taskcast-service:3721", server.url), init);
    console.log = (...args) => void logged.push(args);

    Deno.env.set("TASKCAST_TOKEN", await token({ taskIds: "*", scope: ["*"] }));
    await import("./guide/producer.ts");
    const { tasks: [task] } = await server.engine.listTasks();
    assert.equal(task?.status, "completed");
    assert.deepEqual(task?.params, { prompt: "Hello" });
    assert.deepEqual(task?.result, { output: "Hello!" });

    Deno.env.set("TASK_ID", task!.id);
    Deno.env.set(
      "USER_JWT_TOKEN",
      await token({ taskIds: [task!.id], scope: ["event:subscribe"] }),
    );
    await import("./guide/consumer.ts");
    const [hello, status, done] = logged;
    assert.deepEqual((hello![0] as { data: unknown }).data, { text: "Hello!" });
    assert.equal((status![0] as { type: string }).type, "taskcast:status");
    assert.deepEqual(done, ["Done:", "completed"]);
  } finally {
    globalThis.fetch = realFetch;
    console.log = realLog;
    for (const name of ["TASKCAST_TOKEN", "TASK_ID", "USER_JWT_TOKEN"]) Deno.env.delete(name);
  }
});

const redis = await redisUrl();
const postgres = await postgresUrl();

Deno.test({
  name: "the guide's embedded server works as written, on Redis and PostgreSQL",
  ignore: redis === undefined || postgres === undefined,
  // The code opens connections of its own and never closes them.
  sanitizeResources: false,
  sanitizeOps: false,
  async fn() {
    Deno.env.set("REDIS_URL", redis!);
    Deno.env.set("DATABASE_URL", postgres!);
    Deno.env.set("JWT_SECRET", secret);
    const { default: app } = await import("./guide/embedded.ts");
    const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, app.fetch);
    const url = `http://127.0.0.1:${server.addr.port}/taskcast`;
    const authorization = `Bearer ${await token({ taskIds: "*", scope: ["*"] })}`;
    const call = async (method: string, path: string, body?: unknown) => {
      const response = await fetch(url + path, {
        method,
        headers: { authorization, "content-type": "application/json" },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      return { status: response.status, body: await response.json() };
    };
    try {
      assert.equal((await fetch(`${url}/tasks`)).status, 401);
      const { body: { id } } = await call("POST", "/tasks", { type: "llm.chat" });
      for (const delta of ["Hel", "lo"]) {
        const event = { type: "d", data: { delta }, seriesId: "s", seriesMode: "accumulate" };
        assert.equal((await call("POST", `/tasks/${id}/events`, event)).status, 201);
      }
      assert.equal(
        (await call("PATCH", `/tasks/${id}/status`, { status: "completed" })).status,
        200,
      );
      const seen = await Array.fromAsync(
        frames(`${url}/tasks/${id}/events`, { headers: { authorization } }),
      );
      assert.equal(seen[1]!.data.data.delta, "Hello");
      assert.equal(seen.at(-1)!.data.reason, "completed");
      const ready = await (await fetch(`${url}/health/ready`)).json();
      assert.equal(ready.status, "ready");
      assert.equal(ready.dependencies.longTermStore.ok, true);
    } finally {
      await server.shutdown();
      for (const name of ["REDIS_URL", "DATABASE_URL", "JWT_SECRET"]) Deno.env.delete(name);
    }
  },
});

Deno.test("the guide's Sentry hooks work as written, and warn without a DSN", async () => {
  await using sentry = startSentryEndpoint();
  const run = async (dsn: string) => {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", new URL("./guide/sentry.ts", import.meta.url).pathname],
      env: { NO_COLOR: "1", SENTRY_DSN: dsn },
      signal: AbortSignal.timeout(60_000),
    }).output();
    return { code, err: new TextDecoder().decode(stderr) };
  };
  assert.deepEqual(await run(sentry.dsn), { code: 0, err: "" });
  const [event] = sentry.events;
  assert.equal(event.tags["taskcast.task_type"], "llm.chat");
  assert.match(event.exception.values[0].value, /^Task \w+ failed: no answer$/);

  assert.deepEqual(await run(""), {
    code: 0,
    err: "Taskcast cannot report to Sentry: it has no valid DSN, or was turned off\n",
  });
});

Deno.test("the guide's clean-up rules apply an hour and a week after the end", async () => {
  const text = await Deno.readTextFile(new URL("./guide/taskcast.config.yaml", import.meta.url));
  const { cleanup } = readYaml(text) as TaskcastConfig;
  const clock = fakeClock();
  await using engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
    clock,
    cleanup,
  });
  const levelsOf = async (id: string) => (await engine.getEvents(id)).events.map((e) => e.level);
  for (const [id, type] of [["chat", "llm.chat"], ["build", "build"]] as const) {
    await engine.createTask({ id, type });
    for (const level of ["debug", "warn"] as const) {
      await engine.publishEvent(id, { type: "x", data: 0, level });
    }
    await engine.transitionTask(id, "cancelled");
  }
  const hourMs = 3_600_000;
  await clock.pass(hourMs - 1);
  assert.deepEqual(await levelsOf("chat"), ["debug", "warn", "info"]);
  await clock.pass(1);
  assert.deepEqual(await levelsOf("chat"), ["warn", "info"]);
  await clock.pass(7 * 24 * hourMs - hourMs - 1_000);
  assert.deepEqual(await levelsOf("build"), ["debug", "warn", "info"]);
  await clock.pass(20_000);
  assert.deepEqual((await engine.listTasks()).tasks, []);
});
