import * as api from "@opentelemetry/api";
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base";
import assert from "node:assert/strict";
import { lazyOpenTelemetry } from "./open_telemetry.ts";

const REGISTERED = Symbol.for("opentelemetry.js.api.1");

/** Runs with something registered as if by an SDK of another version of the API. */
async function withOtherSdk(check: () => Promise<void>): Promise<void> {
  const globals = globalThis as { [REGISTERED]?: unknown };
  const before = globals[REGISTERED];
  globals[REGISTERED] = { version: "1.0.0", trace: {} };
  try {
    await check();
  } finally {
    globals[REGISTERED] = before;
  }
}

Deno.test("if the OpenTelemetry API cannot be loaded, that is reported once and work continues untraced", async () => {
  await withOtherSdk(async () => {
    const said: string[] = [];
    let imports = 0;
    const openTelemetry = lazyOpenTelemetry(() => {
      imports++;
      return Promise.reject(new Error("no such file"));
    }, (message) => said.push(message));
    assert.equal(openTelemetry.isTracing(), true);
    assert.deepEqual(
      await Promise.all([openTelemetry.load(), openTelemetry.load()]),
      [undefined, undefined],
    );
    assert.equal(openTelemetry.isTracing(), false);
    assert.equal(await openTelemetry.load(), undefined);
    assert.equal(imports, 1);
    assert.equal(said.length, 1);
    assert.match(said[0]!, /@opentelemetry\/api cannot be loaded: Error: no such file$/);
  });
});

Deno.test("an SDK that is too old for the API to detect is ignored", async () => {
  const openTelemetry = lazyOpenTelemetry(() => Promise.resolve(api), assert.fail);
  await withOtherSdk(async () => {
    await openTelemetry.load();
    assert.equal(openTelemetry.isTracing(), false);
  });
  assert(api.trace.setGlobalTracerProvider(new BasicTracerProvider()));
  try {
    assert.equal(openTelemetry.isTracing(), true);
  } finally {
    api.trace.disable();
  }
  assert.equal(openTelemetry.isTracing(), false);
});
