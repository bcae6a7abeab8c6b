import assert from "node:assert/strict";
import type { Task } from "@taskcast/core";
import { createSentryHooks, type SentrySdk } from "./mod.ts";
import type { ReportContext } from "./reports.ts";

const task: Task = { id: "t", type: "llm.chat", status: "failed", createdAt: 1, updatedAt: 2 };

/** Returns an SDK that records its reports. */
function recorder() {
  const reports: { error: unknown; context: ReportContext }[] = [];
  const sentry: SentrySdk = {
    captureException: (error, hint) => reports.push({ error, context: hint!.captureContext! }),
  };
  return { reports, sentry };
}

/** Returns what is written to the console while `use` runs. */
function written(use: () => void): unknown[][] {
  const real = { warn: console.warn, error: console.error };
  const lines: unknown[][] = [];
  console.warn = console.error = (...args) => void lines.push(args);
  try {
    use();
  } finally {
    Object.assign(console, real);
  }
  return lines;
}

Deno.test("createSentryHooks() needs an SDK, unless nothing is to be reported", () => {
  assert.throws(() => createSentryHooks(), /no Sentry SDK is initialised in this process/);
  assert.deepEqual(
    createSentryHooks({
      captureTaskFailures: false,
      captureTaskTimeouts: false,
      captureUnhandledErrors: false,
    }),
    {},
  );
});

Deno.test("createSentryHooks() refuses options of the wrong type", () => {
  const { sentry } = recorder();
  const refused = (options: unknown) =>
    assert.throws(() => createSentryHooks(options as Record<string, never>), TypeError);
  refused({ sentry, captureTaskFailures: "false" });
  refused({ sentry, includePayloads: 1 });
  refused({ sentry: {} });
  refused({ sentry: null });
});

Deno.test("errors of an SDK are logged to the console, with the original error", () => {
  const sentry: SentrySdk = {
    captureException() {
      throw new Error("broken SDK");
    },
  };
  const hooks = createSentryHooks({ sentry });
  const lost = new Error("lost");
  const lines = written(() => {
    hooks.onTaskFailed!(task, undefined);
    hooks.onTaskTimeout!(task);
    hooks.onUnhandledError!(lost, { operation: "broadcast" });
  });
  assert.equal(lines.length, 2);
  assert.equal(lines[0]![0], "Taskcast cannot report to Sentry: its SDK failed");
  assert.deepEqual(lines[1], ["Taskcast: error in broadcast:", lost]);
});

Deno.test("an unhandled error is reported unchanged, whatever was thrown", () => {
  const { reports, sentry } = recorder();
  const { onUnhandledError } = createSentryHooks({ sentry });
  for (const error of [new Error("e"), "text", undefined]) {
    onUnhandledError!(error, { operation: "hook\nx", taskId: "t" });
    assert.equal(reports.at(-1)!.error, error);
  }
  assert.deepEqual(reports[0]!.context, {
    level: "error",
    tags: { "taskcast.operation": "hook x", "taskcast.task_id": "t" },
    contexts: {},
  });
});

Deno.test("a report about a task has a bounded size", () => {
  const { reports, sentry } = recorder();
  const long = "x".repeat(1_000_000);
  const error = { code: long, message: long, details: { long } };
  createSentryHooks({ sentry, includePayloads: true }).onTaskFailed!(
    { ...task, params: { long }, result: { long }, metadata: { long }, error },
    error,
  );
  const [report] = reports;
  const { name, message } = report!.error as Error;
  assert(name.length <= 200);
  assert(message.length < 2_100);
  for (const value of Object.values(report!.context.tags)) assert(value.length <= 200);
  for (const part of report!.context.fingerprint!) assert(part.length <= 200, `${part.length}`);
  const payloads = report!.context.contexts["Taskcast payloads"]!;
  assert.deepEqual(Object.keys(payloads), ["params", "result", "metadata", "errorDetails"]);
  for (const value of Object.values(payloads)) assert.equal((value as string).length, 4_000);
});
