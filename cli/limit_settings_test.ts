import assert from "node:assert/strict";
import { limitSettings } from "./limit_settings.ts";
import { SettingsError } from "./settings_error.ts";

const settings = (env: Record<string, string>) => limitSettings((name) => env[name]);

Deno.test("limitSettings() leaves everything off that is not set", () => {
  const { clientAddress: _, ...limits } = settings({});
  assert.deepEqual(limits, {
    rateLimit: undefined,
    maxStreams: undefined,
    maxStreamsPerCredential: undefined,
  });
});

Deno.test("limitSettings() reads numbers, and names the variable that is wrong", () => {
  const { rateLimit, maxStreams, maxStreamsPerCredential } = settings({
    TASKCAST_RATE_LIMIT: "50",
    TASKCAST_RATE_BURST: "80",
    TASKCAST_MAX_STREAMS: "1000",
    TASKCAST_MAX_STREAMS_PER_CREDENTIAL: "10",
  });
  assert.deepEqual(rateLimit, { requestsPerSecond: 50, burst: 80 });
  assert.deepEqual([maxStreams, maxStreamsPerCredential], [1000, 10]);
  const wrong: [string, string][] = [
    ["TASKCAST_RATE_LIMIT", "0"],
    ["TASKCAST_RATE_LIMIT", "fast"],
    ["TASKCAST_RATE_BURST", "10"], // Without a rate.
    ["TASKCAST_MAX_STREAMS", "-1"],
    ["TASKCAST_MAX_STREAMS_PER_CREDENTIAL", "1.5"],
    ["TASKCAST_TRUST_PROXY", "true"], // Of how many?
    ["TASKCAST_TRUST_PROXY", "11"],
  ];
  for (const [name, text] of wrong) {
    assert.throws(
      () => settings({ [name]: text }),
      (error: Error) => error instanceof SettingsError && error.message.startsWith(name),
    );
  }
});
