import assert from "node:assert/strict";
import { limitSettings } from "./limit_settings.ts";

Deno.test("limitSettings() leaves everything off that is not set", () => {
  const { clientAddress: _, ...limits } = limitSettings({});
  assert.deepEqual(limits, {
    rateLimit: undefined,
    maxStreams: undefined,
    maxStreamsPerCredential: undefined,
  });
});

Deno.test("limitSettings() takes limits out of the configuration", () => {
  const { clientAddress, ...limits } = limitSettings({
    trustProxy: 1,
    limits: {
      maxBodyBytes: 5,
      rateLimit: { requestsPerSecond: 50, burst: 80 },
      maxStreams: 1000,
      maxStreamsPerCredential: 10,
    },
  });
  assert.deepEqual(limits, {
    rateLimit: { requestsPerSecond: 50, burst: 80 },
    maxStreams: 1000,
    maxStreamsPerCredential: 10,
  });
  const request = new Request("http://h/", { headers: { "x-forwarded-for": "1.2.3.4, 5.6.7.8" } });
  const context = { env: { remoteAddress: "10.0.0.1" } };
  type Info = Parameters<NonNullable<typeof clientAddress>>[1];
  assert.equal(clientAddress!(request, context as unknown as Info), "5.6.7.8");
  assert.equal(limitSettings({}).clientAddress!(request, context as unknown as Info), "10.0.0.1");
});
