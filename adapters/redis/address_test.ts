import assert from "node:assert/strict";
import { parseAddress } from "./address.ts";

Deno.test("parseAddress() reads one server, nodes of a cluster, and Sentinels", () => {
  const cases: [string, unknown][] = [
    ["redis://h", { kind: "server", tls: false }],
    ["rediss://u:p%40@h:1/2?family=6", {
      kind: "server",
      tls: true,
      username: "u",
      password: "p@",
    }],
    ["redis-cluster://h", { kind: "cluster", tls: false, nodes: [{ host: "h", port: 6379 }] }],
    ["rediss-cluster://:pw@a:1,b,[::1]:3/", {
      kind: "cluster",
      tls: true,
      password: "pw",
      nodes: [{ host: "a", port: 1 }, { host: "b", port: 6379 }, { host: "::1", port: 3 }],
    }],
    ["redis://u:pw@a:1,b:2", {
      kind: "cluster",
      tls: false,
      username: "u",
      password: "pw",
      nodes: [{ host: "a", port: 1 }, { host: "b", port: 2 }],
    }],
    ["redis://a:1, redis://b:2", {
      kind: "cluster",
      tls: false,
      nodes: [{ host: "a", port: 1 }, { host: "b", port: 2 }],
    }],
    ["redis-sentinel://u:pw@a,b:2/my%20master/3?sentinelUsername=su&sentinelPassword=s%26p", {
      kind: "sentinel",
      tls: false,
      username: "u",
      password: "pw",
      sentinels: [{ host: "a", port: 26379 }, { host: "b", port: 2 }],
      name: "my master",
      db: 3,
      sentinelUsername: "su",
      sentinelPassword: "s&p",
    }],
    ["rediss-sentinel://a/m", {
      kind: "sentinel",
      tls: true,
      sentinels: [{ host: "a", port: 26379 }],
      name: "m",
      db: 0,
    }],
  ];
  for (const [url, address] of cases) assert.deepEqual(parseAddress(url), address, url);
});

Deno.test("parseAddress() says what is wrong, without the password", () => {
  const cases: [string, RegExp][] = [
    ["http://secret@h", /must begin with redis:\/\//],
    ["redis+cluster://:secret@h", /must begin with redis:\/\//],
    ["redis-cluster://:secret@a:1,b:99999", /port that is not from 1 to 65535/],
    ["redis-cluster://:secret@a:1,,b", /host that is none/],
    ["redis-cluster://:secret@", /host that is none/],
    ["redis-cluster://:secret@a/1", /a cluster has one database/],
    ["redis-cluster://:secret@a?tls=1", /a cluster has one database/],
    ["redis-cluster://:secret@a:1,:secret@b:1", /once, before the first host/],
    ["redis://:secret@a:1,redis://:secret@b:1", /once, before the first host/],
    ["redis-cluster://:sec/ret@a:1", /once, before the first host|host that is none/],
    ["redis-sentinel://:secret@a:1,b:2", /needs the name of the master/],
    ["redis-sentinel://:secret@a:1/m/x", /needs the name of the master/],
    ["redis-sentinel://a/m?password=secret", /takes the options sentinelUsername/],
  ];
  for (const [url, message] of cases) {
    assert.throws(() => parseAddress(url), (error: Error) => {
      assert(error instanceof TypeError);
      assert.match(error.message, message, url);
      assert(!error.message.includes("secret"), error.message);
      return true;
    });
  }
});
