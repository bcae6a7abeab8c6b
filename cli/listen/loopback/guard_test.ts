import assert from "node:assert/strict";
import { originProblem } from "@taskcast/core/internal";
import { LoopbackGuard } from "./guard.ts";

function guard(allowHosts: string[] = [], corsOrigins: "*" | string[] = []) {
  const told: string[] = [];
  const guard = new LoopbackGuard({
    allowHosts,
    corsOrigins,
    onRefused: (text) => told.push(text),
  });
  const status = (host: string, origin?: string) => {
    const headers: Record<string, string> = { host, ...(origin === undefined ? {} : { origin }) };
    return guard.refusal(new Request("http://localhost/", { headers }))?.status;
  };
  return { guard, told, status };
}

Deno.test("LoopbackGuard lets in this machine's names with any port, and no others", () => {
  const { status } = guard(["dev.example"]);
  const local = ["localhost", "LOCALHOST:1", "127.0.0.1:3721", "[::1]:3721", "app.localhost:80"];
  const sameAddress = ["[0:0:0:0:0:0:0:1]", "[0000::0001]:3721", "[::0.0.0.1]"];
  for (
    const host of [
      ...local,
      "localhost.:80",
      "localhost:",
      "[::1]:",
      ...sameAddress,
      "dev.example:9",
      "Dev.Example",
    ]
  ) {
    assert.equal(status(host), undefined, host);
  }
  const foreign = ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "0.0.0.0:1"];
  for (
    const host of [...foreign, "notlocalhost", "[::2]:1", "sub.dev.example", "user@localhost", ""]
  ) {
    assert.equal(status(host), 421, host);
  }
  for (const host of ["localhost:x", "localhost::", "localhost:123456", "[::1", "[1]", "::1"]) {
    assert.equal(status(host), 421, host);
  }
  assert.equal(guard(["[0:0:0:0:0:0:0:2]"]).status("[::2]:80"), undefined);
});

Deno.test("LoopbackGuard admits pages of this machine and those that CORS names", () => {
  const { status } = guard(["dev.example"], ["https://app.example"]);
  for (
    const origin of [
      "http://localhost:5173",
      "https://127.0.0.1",
      "http://[::1]:3000",
      "http://dev.example:8080",
      "https://app.example",
    ]
  ) {
    assert.equal(status("localhost", origin), undefined, origin);
  }
  for (
    const origin of [
      "https://evil.example",
      "http://localhost.evil.example",
      "null",
      "https://app.example:444",
      "ext://localhost",
      "http://localhost/",
    ]
  ) {
    assert.equal(status("localhost", origin), 421, origin);
  }
  assert.equal(status("evil.example", "https://app.example"), 421, "rebinding");
  assert.equal(guard([], "*").status("localhost", "null"), undefined);
});

Deno.test("LoopbackGuard reports each name and origin once, with the flag, up to a number", async () => {
  const { guard: one, told, status } = guard();
  for (let i = 0; i < 3; i++) {
    status("box.lan:3721");
    status("localhost", "https://app.example");
    status("localhost", "null");
  }
  assert.deepEqual(told, [
    "refused a request: this server is for box.lan:3721 only with --allow-host box.lan " +
    "(TASKCAST_ALLOW_HOSTS, allowHosts)",
    "refused a request: pages of https://app.example may call this server only with " +
    "--cors https://app.example (TASKCAST_CORS, cors.origin)",
    "refused a request: pages of null may call this server only with --cors null " +
    "(TASKCAST_CORS, cors.origin)",
  ]);
  const refused = one.refusal(new Request("http://x/", { headers: { host: "box.lan" } }))!;
  const { error } = await refused.json();
  assert.match(
    error.message,
    /^Without authentication, this server is for box\.lan only with --allow-host/,
  );
  for (let i = 0; i < 1_000; i++) status(`h${i}.example`);
  assert.equal(told.length, 100);
});

Deno.test("LoopbackGuard advises nothing that --cors and --allow-host refuse", () => {
  const { told, status } = guard();
  const origins = [
    "https://app.example",
    "null",
    "http://localhost:3000/",
    "HTTPS://APP.EXAMPLE",
    "https://me:hush@app.example",
    "https://app.example:443",
    "https://*.example",
    "app.example",
    "x",
    `https://${"a.".repeat(150)}example`,
  ];
  for (const origin of origins) assert.equal(status("localhost", origin), 421, origin);
  for (const host of ["box.lan", "a..b", "-a", "[::2]", "user@box"]) {
    assert.equal(status(host), 421, host);
  }
  const advised = (flag: string) =>
    told.flatMap((message) => new RegExp(`--${flag} (\\S+)`).exec(message)?.[1] ?? []);
  assert.deepEqual(advised("cors"), ["https://app.example", "null"]);
  assert.deepEqual(advised("allow-host"), ["box.lan", "NAME", "NAME", "[::2]", "NAME"]);
  for (const origin of advised("cors")) assert.equal(originProblem(origin), undefined);
  assert.equal(
    told[2],
    "refused a request: pages of http://localhost:3000/ may not call this server: the header Origin " +
      "must be an origin, such as http://localhost:3000, without a path or a slash at its end",
  );
});
