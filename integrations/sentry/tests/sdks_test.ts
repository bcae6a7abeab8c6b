import assert from "node:assert/strict";
import type * as Node10 from "@sentry/node";
import type * as Deno10 from "@sentry/deno";
import type { SentryEvent } from "../../../testing/servers/sentry_endpoint.ts";
import { startSentryEndpoint } from "../../../testing/servers/sentry_endpoint.ts";
import type { SentryProgram } from "../../../testing/servers/sentry_program.ts";
import type { SentrySdk } from "../mod.ts";

// Real SDKs, each in its own process, which report over HTTP to a stand-in for Sentry.

/** Requires that the types of an SDK fit. */
type Fits<Sdk extends SentrySdk> = Sdk;
export type All = Fits<typeof Node10> | Fits<typeof Deno10>;

/** Not in the lock file: `deno task` downloads everything in it, even to start the server. */
const NODE_11 = "npm:@sentry/node@11.12.0";

/** The old ones are not in it either: their types for Node would change everybody's. */
const SDKS = [
  "@sentry/node",
  "@sentry/deno",
  NODE_11,
  "npm:@sentry/node@8.55.2",
  "npm:@sentry/node@7.120.4",
];

async function run(sdk: string, program: SentryProgram) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--quiet",
      ...(sdk.startsWith("npm:") ? ["--no-lock"] : []),
      new URL("../../../testing/servers/sentry_program.ts", import.meta.url).pathname,
      sdk,
      JSON.stringify(program),
    ],
    env: { NO_COLOR: "1", SENTRY_DSN: "" },
    signal: AbortSignal.timeout(60_000),
  }).output();
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

Deno.test(`the types of ${NODE_11} fit`, async () => {
  const program = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(
      program,
      `import * as Sentry from "${NODE_11}";
      import type { SentrySdk } from "${new URL("../mod.ts", import.meta.url)}";
      export const sdk: SentrySdk = Sentry;`,
    );
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--no-lock", program],
      cwd: new URL(".", import.meta.url),
      env: { NO_COLOR: "1" },
    }).output();
    assert(success, new TextDecoder().decode(stderr));
  } finally {
    await Deno.remove(program);
  }
});

const taskOf = (event: SentryEvent): string => event.tags["taskcast.task_id"];
const exceptionOf = (event: SentryEvent) => event.exception.values.at(-1);

for (const sdk of SDKS) {
  for (const explicit of [false, true]) {
    Deno.test(`${sdk} reports ${explicit ? "when it is given" : "when it is found"}`, async () => {
      await using sentry = startSentryEndpoint();
      const { code, out, err } = await run(sdk, { init: { dsn: sentry.dsn }, explicit });
      assert.deepEqual({ code, out, err }, { code: 0, out: "flushed\n", err: "" });
      // Each report is sent separately, so they may arrive in any order.
      const tasks = ["first", "second", "third", "slow", "unheard"];
      assert.deepEqual(sentry.events.map(taskOf).toSorted(), tasks.toSorted());
      const [first, second, third, slow, unheard] = tasks.map((task) =>
        sentry.events.find((event) => taskOf(event) === task)!
      );

      assert.equal(first.level, "error");
      const { type, value, stacktrace } = exceptionOf(first);
      assert.equal(type, "RATE_LIMITED");
      assert.equal(value, "Task first failed: too fast\n    at once (a.ts:1:2)");
      assert.equal(stacktrace, undefined);
      assert.deepEqual(first.tags, {
        "taskcast.task_id": "first",
        "taskcast.task_type": "llm.chat",
        "taskcast.status": "failed",
        "taskcast.error_code": "RATE_LIMITED",
      });
      assert.deepEqual(first.fingerprint, ["taskcast.task_failed", "llm.chat", "RATE_LIMITED"]);
      assert.deepEqual(second.fingerprint, first.fingerprint);

      assert.equal(exceptionOf(third).type, "TaskFailed");
      assert.equal(exceptionOf(third).value, "Task third failed");
      assert.deepEqual(third.fingerprint, ["taskcast.task_failed", "no type", "no code"]);

      assert.equal(slow.level, "warning");
      assert.equal(exceptionOf(slow).value, "Task slow timed out");
      assert.equal(slow.tags["taskcast.status"], "timeout");
      assert.equal(slow.contexts["Taskcast task"].ttlSeconds, 0.05);
      assert.deepEqual(slow.fingerprint, ["taskcast.task_timeout", "llm.slow"]);

      assert.equal(unheard.level, "error");
      assert.equal(exceptionOf(unheard).value, "the broadcast broke");
      assert.equal(unheard.exception.values[0].value, "no connection");
      assert(exceptionOf(unheard).stacktrace.frames.length > 0);
      assert.equal(unheard.tags["taskcast.operation"], "broadcast");

      assert(!sentry.text().includes("secret of"));
    });
  }
}

for (const sdk of SDKS) {
  Deno.test(`${sdk} tells of an error of a request which request it was, and of others nothing`, async () => {
    await using sentry = startSentryEndpoint();
    await run(sdk, { init: { dsn: sentry.dsn }, request: true });
    const { asked, others } = Object.groupBy(
      sentry.events,
      (event) => exceptionOf(event).value === "the store broke" ? "asked" : "others",
    );
    assert.equal(asked!.length, 1);
    assert.deepEqual(asked![0].tags, {
      "taskcast.operation": "GET /tasks/{id}",
      "taskcast.task_id": "asked",
      requestId: "order-17",
    });
    assert.equal(others!.length, 5);
    for (const { tags } of others!) assert(!("requestId" in tags));
  });
}

Deno.test("payloads are reported when they are asked for", async () => {
  await using sentry = startSentryEndpoint();
  await run("@sentry/deno", { init: { dsn: sentry.dsn }, options: { includePayloads: true } });
  assert.deepEqual(sentry.events[0].contexts["Taskcast payloads"], {
    params: '{"where":"secret of params"}',
    result: '{"where":"secret of result"}',
    metadata: '{"where":"secret of metadata"}',
    errorDetails: '{"where":"secret of details"}',
  });
  assert(!sentry.text().includes("secret of data"));
});

Deno.test("each kind of report can be turned off", async () => {
  await using sentry = startSentryEndpoint();
  const off = {
    captureTaskFailures: false,
    captureTaskTimeouts: false,
    captureUnhandledErrors: false,
  };
  const report = async (on: Partial<typeof off>) => {
    const { err } = await run("@sentry/deno", {
      init: { dsn: sentry.dsn },
      options: { ...off, ...on },
    });
    // The engine itself logs what no hook takes.
    const said = /^Taskcast: error in broadcast: Error: the broadcast broke/.test(err);
    assert.equal(said, on.captureUnhandledErrors !== true);
    return sentry.events.splice(0).map(taskOf);
  };
  assert.deepEqual(await report({}), []);
  assert.deepEqual(await report({ captureTaskFailures: true }), ["first", "second", "third"]);
  assert.deepEqual(await report({ captureTaskTimeouts: true }), ["slow"]);
  assert.deepEqual(await report({ captureUnhandledErrors: true }), ["unheard"]);
});

Deno.test("without Sentry.init() the hooks are not made", async () => {
  const { code, err } = await run("@sentry/node", { init: null });
  assert.equal(code, 1);
  assert.match(err, /Cannot create Sentry hooks: no Sentry SDK is initialised in this process/);
});

for (const sdk of SDKS) {
  Deno.test(`${sdk} without a DSN: the console is told once, and of errors as without hooks`, async () => {
    for (const init of [{}, { enabled: false, dsn: "http://abc123@127.0.0.1:9/42" }]) {
      const { code, err } = await run(sdk, { init });
      assert.equal(code, 0);
      const [first, second] = err.split("\n");
      assert.match(
        first!,
        /^Taskcast cannot report to Sentry: it has no valid DSN, or was turned off/,
      );
      assert.match(second!, /^Taskcast: error in broadcast: Error: the broadcast broke/);
      assert.equal(err.match(/cannot report/g)!.length, 1);
    }
  });

  Deno.test(`${sdk} given before Sentry.init(): the console is told`, async () => {
    const { code, err } = await run(sdk, { init: null, explicit: true });
    assert.equal(code, 0);
    assert.match(err, /^Taskcast cannot report to Sentry: it is not initialised\n/);
  });

  Deno.test(`${sdk} is refused by Sentry: the console is told once`, async () => {
    await using sentry = startSentryEndpoint({ status: 403 });
    const { err } = await run(sdk, { init: { dsn: sentry.dsn } });
    assert.equal(err, "Taskcast cannot report to Sentry: it answered with status 403\n");
  });

  Deno.test(`${sdk} does not reach Sentry: the console is told once`, async () => {
    let dsn: string;
    {
      await using sentry = startSentryEndpoint();
      dsn = sentry.dsn;
    }
    const { err } = await run(sdk, { init: { dsn } });
    assert.equal(err, "Taskcast cannot report to Sentry: it was not reached, or its limits were\n");
  });
}
