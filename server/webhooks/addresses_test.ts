import assert from "node:assert/strict";
import { isPublicAddress, literalAddress } from "./addresses.ts";

Deno.test("isPublicAddress() is false for reserved networks", () => {
  const open = ["8.8.8.8", "1.1.1.1", "172.15.0.1", "172.32.0.1", "100.63.0.1", "2606:4700::1111"];
  for (const address of open) assert(isPublicAddress(address), address);
  const closed = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "fc00::1",
    "fd12::1",
    "fe80::1",
    "ff02::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "not an address",
    "",
  ];
  for (const address of closed) assert(!isPublicAddress(address), address);
});

Deno.test("literalAddress() recognises every notation of an IP address", () => {
  const cases: [string, string | undefined][] = [
    ["http://2130706433/", "127.0.0.1"],
    ["http://0x7f.1/", "127.0.0.1"],
    ["http://0177.0.0.1/", "127.0.0.1"],
    ["http://[::1]:80/", "::1"],
    ["http://[::ffff:7f00:1]/", "::ffff:7f00:1"],
    ["http://localhost/", undefined],
    ["http://127.0.0.1.example/", undefined],
  ];
  for (const [url, address] of cases) assert.equal(literalAddress(new URL(url)), address, url);
});
