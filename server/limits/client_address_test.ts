import assert from "node:assert/strict";
import { addressKey, forwardedAddress } from "./client_address.ts";

const remote = "10.0.0.9";

function forwarded(header: string | undefined, hops: number): string | undefined {
  const headers = header === undefined ? undefined : { "x-forwarded-for": header };
  return forwardedAddress(new Request("http://host/", { headers }), remote, hops);
}

Deno.test("forwardedAddress() trusts as many entries from the end as there are proxies", () => {
  assert.equal(forwarded("203.0.113.7", 0), remote, "no proxy: the header is anybody's");
  assert.equal(forwarded(undefined, 1), remote);
  assert.equal(forwarded("203.0.113.7", 1), "203.0.113.7");
  assert.equal(forwarded("1.1.1.1, 203.0.113.7", 1), "203.0.113.7", "the first was made up");
  assert.equal(forwarded("1.1.1.1, 203.0.113.7, 10.0.0.1", 2), "203.0.113.7");
  assert.equal(forwarded("203.0.113.7", 2), "203.0.113.7");
});

Deno.test("forwardedAddress() removes ports and ignores malformed addresses", () => {
  assert.equal(forwarded("203.0.113.7:51000", 1), "203.0.113.7");
  assert.equal(forwarded("[2001:db8::1]:443", 1), "2001:db8::1");
  assert.equal(forwarded("2001:db8::1", 1), "2001:db8::1");
  for (
    const nonsense of ["", "unknown", "_hidden", "1.2.3", "999.1.1.1", "a:b", "x".repeat(9_000)]
  ) {
    assert.equal(forwarded(nonsense, 1), remote, nonsense);
  }
});

Deno.test("addressKey() returns one key for an IPv6 network, however its addresses are written", () => {
  const network = "2001:db8:0:7::/64";
  for (
    const address of ["2001:db8:0:7::1", "2001:0DB8:0:7:ffff:1:2:3", "2001:db8::7:0:0:0:9%eth0"]
  ) {
    assert.equal(addressKey(address), network, address);
  }
  assert.notEqual(addressKey("2001:db8:0:8::1"), network);
  assert.equal(addressKey("::ffff:192.0.2.5"), "192.0.2.5", "IPv4 that came over an IPv6 socket");
  assert.equal(addressKey("192.0.2.5"), "192.0.2.5");
  assert.equal(addressKey("::1"), "0:0:0:0::/64");
  assert.equal(addressKey("a name of the host's own"), "a name of the host's own");
});
