import assert from "node:assert/strict";
import { DEFAULT_WEBHOOK_RETRY } from "../protocol/webhook.ts";
import { backoffMs } from "./backoff.ts";

Deno.test("backoffMs() grows as configured, up to the maximum", () => {
  const times = (backoff: "exponential" | "linear" | "fixed", random: number) =>
    [1, 2, 3, 4, 99].map((n) => backoffMs(n, { ...DEFAULT_WEBHOOK_RETRY, backoff }, random));
  assert.deepEqual(times("exponential", 1), [1_000, 2_000, 4_000, 8_000, 30_000]);
  assert.deepEqual(times("linear", 1), [1_000, 2_000, 3_000, 4_000, 30_000]);
  assert.deepEqual(times("fixed", 1), [1_000, 1_000, 1_000, 1_000, 1_000]);
  assert.deepEqual(times("exponential", 0), [500, 1_000, 2_000, 4_000, 15_000]);
});
