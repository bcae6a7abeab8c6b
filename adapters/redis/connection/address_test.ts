import assert from "node:assert/strict";
import { parseAddress } from "./address.ts";

Deno.test("parseAddress() reads one server, nodes of a cluster, and Sentinels", () => {
  const cases: [string, unknown][] = [
    ["redis://h", { kind: "server", host: "h", port: 6379, db: 0 }],
    ["redis://", { kind: "server", host: "localhost", port: 6379, db: 0 }],
    ["rediss://u:p%40@h:1/2?family=6", {
      kind: "server",
      tls: {},
      username: "u",
      password: "p@",
      family: 6,
      host: "h",
      port: 1,
      db: 2,
    }],
    // Addresses of Railway, Upstash, Heroku with Celery, go-redis, Lettuce.
    ["redis://default:50%@h?family=0&db=3&maxRetriesPerRequest=null&socket_timeout=5", {
      kind: "server",
      username: "default",
      password: "50%",
      family: 0,
      host: "h",
      port: 6379,
      db: 3,
    }],
    ["redis://h?tls=true&password=a%26b", {
      kind: "server",
      tls: {},
      password: "a&b",
      host: "h",
      port: 6379,
      db: 0,
    }],
    ...["ssl_cert_reqs=none", "ssl_cert_reqs=CERT_NONE", "skip_verify=true", "verifyPeer=NONE"].map(
      (
        query,
      ): [string, unknown] => [`rediss://h?${query}`, {
        kind: "server",
        tls: { rejectUnauthorized: false },
        host: "h",
        port: 6379,
        db: 0,
      }],
    ),
    ["rediss://h/0?ssl_cert_reqs=required", {
      kind: "server",
      tls: {},
      host: "h",
      port: 6379,
      db: 0,
    }],
    ["rediss-cluster://h?family=4&ssl_cert_reqs=none", {
      kind: "cluster",
      tls: { rejectUnauthorized: false },
      family: 4,
      nodes: [{ host: "h", port: 6379 }],
    }],
    ["redis-cluster://h", { kind: "cluster", nodes: [{ host: "h", port: 6379 }] }],
    ["rediss-cluster://:pw@a:1,b,[::1]:3/", {
      kind: "cluster",
      tls: {},
      password: "pw",
      nodes: [{ host: "a", port: 1 }, { host: "b", port: 6379 }, { host: "::1", port: 3 }],
    }],
    ["redis://u:pw@a:1,b:2", {
      kind: "cluster",
      username: "u",
      password: "pw",
      nodes: [{ host: "a", port: 1 }, { host: "b", port: 2 }],
    }],
    ["redis://a:1, redis://b:2", {
      kind: "cluster",
      nodes: [{ host: "a", port: 1 }, { host: "b", port: 2 }],
    }],
    ["redis-sentinel://u:pw@a,b:2/my%20master/3?sentinelUsername=su&sentinelPassword=s%26p", {
      kind: "sentinel",
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
      tls: {},
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
    ["redis-cluster://:secret@a/1", /a cluster has one/],
    ["redis-cluster://:secret@a?db=1", /a cluster has one/],
    ["redis-cluster://:secret@a:1,:secret@b:1", /once, before the first host/],
    ["redis://:secret@a:1,redis://:secret@b:1", /once, before the first host/],
    ["redis-cluster://:sec/ret@a:1", /once, before the first host|host that is none/],
    ["redis-sentinel://:secret@a:1,b:2", /needs the name of the master/],
    ["redis-sentinel://:secret@a:1/m/x", /needs the name of the master/],
    ["redis-sentinel://a/m?sentinelPasword=secret", /"sentinelPasword", which is not known/],
    ["redis://:secret@h?famly=6", /"famly", which is not known: did you mean "family"\?/],
    ["redis://:secret@h?keyPrefix=x", /"keyPrefix": keys get their prefix by the option "prefix"/],
    ["redis://h?sentinelPassword=secret", /"sentinelPassword", which is for redis-sentinel/],
    ["redis://:secret@h/abc", /path that must be the number of a database/],
    ["redis://:secret@h/1?db=2", /one database in its path and another/],
    ["redis://:secret@h?db=secret", /"db" that is no number/],
    ["redis://:secret@h?family=5", /"family" that is not 0, 4 or 6/],
    ["redis://:secret@h?ssl_cert_reqs=none", /"ssl_cert_reqs", but no TLS/],
    ["rediss://:secret@h?ssl=false", /asks for TLS and against it/],
    ["rediss://:secret@h?ssl_cert_reqs=secret", /"ssl_cert_reqs" that is not/],
    ["rediss://:secret@h?ssl_ca_certs=/nowhere/secret", /"ssl_ca_certs" that must name a file/],
    ["redis://:1?secret@h", /once, before the first host/],
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
