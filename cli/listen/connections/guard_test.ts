import assert from "node:assert/strict";
import { ConnectionGuard } from "./guard.ts";
import { connectionLimits } from "./limits.ts";

/** Connections that one address may have. */
function most(guard: ConnectionGuard, address: string | undefined): number {
  let count = 0;
  while (count < 5_000 && guard.admit(address) !== undefined) count++;
  return count;
}

Deno.test("a public address has 1 000 connections, a private one and a proxy as many as there are", () => {
  const guard = () => new ConnectionGuard(connectionLimits({}, 10_000));
  for (const address of ["8.8.8.8", "::ffff:8.8.8.8", "2a00:1450:4001:81b::200e"]) {
    assert.equal(most(guard(), address), 1_000, address);
  }
  const internal = ["127.0.0.1", "::1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.9"];
  for (const address of [...internal, "fd00::1", "fe80::1%eth0", undefined]) {
    assert.equal(most(guard(), address), 5_000, address);
  }
  assert.equal(most(new ConnectionGuard(connectionLimits({ trustProxy: 1 })), "8.8.8.8"), 5_000);
  const set = connectionLimits({ limits: { maxConnectionsPerAddress: 3 } });
  assert.equal(most(new ConnectionGuard(set), "127.0.0.1"), 3);
});

Deno.test("an IPv6 network counts as one client in any notation", () => {
  const limits = connectionLimits({ limits: { maxConnectionsPerAddress: 2 } });
  const guard = new ConnectionGuard(limits);
  assert(guard.admit("2a00:1450:4001:81b::1"));
  assert(guard.admit("2a00:1450:4001:081b:ffff::2"));
  assert.equal(guard.admit("2a00:1450:4001:81b:1:2:3:4"), undefined);
  assert(guard.admit("2a00:1450:4001:81c::1"));
  assert.deepEqual(guard.refused, { connections: 0, address: 1, descriptors: 0 });
});

Deno.test("a place that was given back twice is free once", () => {
  const guard = new ConnectionGuard(connectionLimits({ limits: { maxConnections: 2 } }));
  const release = guard.admit("127.0.0.1")!;
  assert(guard.admit("127.0.0.2"));
  assert.equal(guard.admit("127.0.0.1"), undefined);
  release();
  release();
  assert.equal(guard.open, 1);
  assert(guard.admit("127.0.0.1"));
  assert.equal(guard.isFull, true);
});

Deno.test("there are no more connections than four fifths of the descriptors", () => {
  const most = (descriptors?: number) => connectionLimits({}, descriptors).maxConnections;
  assert.deepEqual([1, 1_024, 12_499, 1_000_000].map(most), [1, 819, 9_999, 10_000]);
  const limits = { maxConnections: 50_000 };
  assert.equal(connectionLimits({ limits }, 1_024).maxConnections, 50_000, "as it was told");
});
