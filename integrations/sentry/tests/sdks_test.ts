import assert from "node:assert/strict";
import type * as Node10 from "@sentry/node";
import type * as Deno10 from "@sentry/deno";
import type { SentryEndpoint, SentryEvent } from "../../../testing/servers/sentry_endpoint.ts";
import { startSentryEndpoint } from "../../../testing/servers/sentry_endpoint.ts";
import type { SentryProgram } from "../../../testing/servers/sentry_program.ts";
import { SENTRY_PROGRAM_ENDS } from "../../../testing/servers/sentry_program.ts";
import type { SentrySdk } from "../mod.ts";

// Real SDKs, each in a process of its own, report over HTTP to a fake Sentry.

/** Compiles only if the type of an SDK is assignable to ours. */
type Fits<Sdk extends SentrySdk> = Sdk;
export type All = Fits<typeof Node10> | Fits<typeof Deno10>;

/** Not in the lock file, because `deno task` downloads everything in it, even to start the server. */
const NODE_11 = "npm:@sentry/node@11.12.0";

/** Old versions are not in the lock file either: they would change the version of Node's types. */
const SDKS = [
  "@sentry/node",
  "@sentry/deno",
  NODE_11,
  "npm:@sentry/node@8.55.2",
  "npm:@sentry/node@7.120.4",
];

/** Output of one program. */
interface Output {
  out: string;
  err: string;
}

/** Runs programs one after the other in a process that has the SDK. */
async function runAll(sdk: string, programs: readonly SentryProgram[]): Promise<Output[]> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--quiet",
      ...(sdk.startsWith("npm:") ? ["--no-lock"] : []),
      new URL("../../../testing/servers/sentry_program.ts", import.meta.url).pathname,
      sdk,
      JSON.stringify(programs),
    ],
    env: { NO_COLOR: "1", SENTRY_DSN: "" },
    signal: AbortSignal.timeout(60_000),
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) =>
    new TextDecoder().decode(bytes).split(`${SENTRY_PROGRAM_ENDS}\n`)
  );
  assert.equal(code, 0, err!.join("\n"));
  assert.equal(out!.length, programs.length + 1, err!.join("\n"));
  return programs.map((_, i) => ({ out: out![i]!, err: err![i]! }));
}

async function run(sdk: string, program: SentryProgram): Promise<Output> {
  const [output] = await runAll(sdk, [program]);
  return output!;
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
  Deno.test(sdk, async (test) => {
    await using whenFound = startSentryEndpoint();
    await using whenGiven = startSentryEndpoint();
    await using withRequest = startSentryEndpoint();
    await using refusing = startSentryEndpoint({ status: 403 });
    const [early, unset, disabled, found, given, requested, refused, unreachable] = await runAll(
      sdk,
      [
        { init: null, explicit: true },
        { init: {} },
        { init: { enabled: false, dsn: "http://abc123@127.0.0.1:9/42" } },
        { init: { dsn: whenFound.dsn } },
        { init: { dsn: whenGiven.dsn }, explicit: true },
        { init: { dsn: withRequest.dsn }, request: true },
        { init: { dsn: refusing.dsn } },
        { init: { dsn: await closedDsn() } },
      ],
    );

    await test.step("reports when it is found", () => {
      assert.deepEqual(found, { out: "flushed\n", err: "" });
      assertReports(whenFound);
    });

    await test.step("reports when it is given", () => {
      assert.deepEqual(given, { out: "flushed\n", err: "" });
      assertReports(whenGiven);
    });

    await test.step("tags errors of requests, and no others, with the request", () => {
      assert.equal(requested!.out, "flushed\n");
      const { asked, others } = Object.groupBy(
        withRequest.events,
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

    await test.step("without a DSN writes one warning, and errors as without hooks", () => {
      for (const { err } of [unset!, disabled!]) {
        const [first, second] = err.split("\n");
        assert.match(
          first!,
          /^Taskcast cannot report to Sentry: it has no valid DSN, or was turned off/,
        );
        assert.match(second!, /^Taskcast: error in broadcast: Error: the broadcast broke/);
        assert.equal(err.match(/cannot report/g)!.length, 1);
      }
    });

    await test.step("given before Sentry.init() writes a warning", () => {
      assert.match(early!.err, /^Taskcast cannot report to Sentry: it is not initialised\n/);
    });

    await test.step("writes one warning when Sentry refuses", () => {
      const line = "Taskcast cannot report to Sentry: it answered with status 403\n";
      assert.equal(refused!.err, line);
    });

    await test.step("writes one warning when Sentry is out of reach", () => {
      const line =
        "Taskcast cannot report to Sentry: it cannot be reached, or its rate limit is exceeded\n";
      assert.equal(unreachable!.err, line);
    });
  });
}

/** Returns the DSN of a server that is closed. */
async function closedDsn(): Promise<string> {
  await using sentry = startSentryEndpoint();
  return sentry.dsn;
}

/** Asserts that each failure was reported, without data of tasks. */
function assertReports(sentry: SentryEndpoint): void {
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
}

Deno.test("includePayloads adds payloads to reports", async () => {
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
    // Without the hook, the engine logs the error.
    const isLogged = /^Taskcast: error in broadcast: Error: the broadcast broke/.test(err);
    assert.equal(isLogged, on.captureUnhandledErrors !== true);
    return sentry.events.splice(0).map(taskOf);
  };
  assert.deepEqual(await report({}), []);
  assert.deepEqual(await report({ captureTaskFailures: true }), ["first", "second", "third"]);
  assert.deepEqual(await report({ captureTaskTimeouts: true }), ["slow"]);
  assert.deepEqual(await report({ captureUnhandledErrors: true }), ["unheard"]);
});

Deno.test("createSentryHooks() fails without Sentry.init()", async () => {
  const { out, err } = await run("@sentry/node", { init: null });
  assert.equal(out, "failed\n");
  assert.match(err, /Cannot create Sentry hooks: no Sentry SDK is initialised in this process/);
});
