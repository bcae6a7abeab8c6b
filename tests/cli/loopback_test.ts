import assert from "node:assert/strict";
import { ELSEWHERE, runCli, startCli } from "../../testing/servers/cli.ts";
import { rawGet } from "../../testing/network/raw_http.ts";
import { until } from "../../testing/sse/sse.ts";

// Protection of a server without authentication against web pages in a developer's browser.

const LISTENERS = ELSEWHERE ? [[]] : [["--listener", "deno"], ["--listener", "node"]];

for (const args of LISTENERS) {
  Deno.test(`start ${args.join(" ")}: without authentication, listens on loopback and refuses foreign web pages`, async () => {
    await using server = await startCli([...args, "--allow-host", "box.lan", "--allow-host", "b"]);
    const { process, url } = server;
    assert.match(url, /^http:\/\/localhost:/);
    const port = Number(new URL(url).port);
    for (const hostname of ["127.0.0.1", "::1"]) {
      assert.match(await rawGet(port, "localhost", { hostname }), /^HTTP\/1\.1 200 /);
    }
    assert(!process.err.includes("auth is off"), process.err);
    const [other] = Deno.networkInterfaces().filter(({ family, address }) =>
      family === "IPv4" && !address.startsWith("127.")
    );
    if (other !== undefined) {
      await assert.rejects(Deno.connect({ hostname: other.address, port }), /refused/i);
    }

    // Requests that browsers send for a page that posts a form, and for one whose name now resolves
    // here.
    const form = await fetch(`${url}/tasks`, {
      method: "POST",
      headers: { origin: "https://evil.example", "content-type": "text/plain" },
      body: JSON.stringify({ id: "planted" }),
    });
    assert.equal(form.status, 421);
    assert.match((await form.json()).error.message, /--cors https:\/\/evil\.example /);
    const rebound = await rawGet(port, `evil.example:${port}`);
    assert.match(rebound, /^HTTP\/1\.1 421 /);
    assert.match(rebound, /--allow-host evil\.example /);
    assert.equal(
      (await fetch(`${url}/tasks/planted`).then(async (response) => {
        await response.body?.cancel();
        return response;
      })).status,
      404,
    );
    for (let i = 0; i < 3; i++) await rawGet(port, "evil.example");
    await until(
      () => process.err.includes("--cors https://evil.example"),
      "the log names the flag",
    );
    assert.equal(process.err.split("https://evil.example may call").length, 2, process.err);

    for (const host of ["box.lan:1", "B"]) {
      assert.match(await rawGet(port, host), /^HTTP\/1\.1 200 /);
    }
    // A development server's page on another port.
    const origin = "http://localhost:5173";
    const page = await fetch(`${url}/health`, { headers: { origin } });
    assert.equal(page.headers.get("access-control-allow-origin"), origin);
    await page.body?.cancel();
    const preflight = await fetch(`${url}/tasks`, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST" },
    });
    assert.equal(preflight.status, 204);
    process.kill("SIGTERM");
    assert.equal(await process.ended, 0);
  });
}

Deno.test("start: an explicit authentication mode causes no warning", async () => {
  const decided: [args: string[], env: Record<string, string>][] = [
    [["--host", "127.0.0.1"], {}],
    [[], { TASKCAST_TRUST_PROXY: "1" }],
    [[], { TASKCAST_AUTH_MODE: "jwt", TASKCAST_JWT_SECRET: "s".repeat(32) }],
  ];
  await Promise.all(decided.map(async ([args, env]) => {
    await using server = await startCli(args, env);
    const port = Number(new URL(server.url).port);
    const headers = { origin: "https://app.example" };
    assert.match(await rawGet(port, "taskcast.example", { headers }), /^HTTP\/1\.1 200 /);
  }));
  // With CORS for its origin, a page is admitted and gets the CORS headers.
  await using server = await startCli(["--cors", "https://app.example"]);
  const headers = { origin: "https://app.example" };
  const page = await fetch(`${server.url}/health`, { headers });
  await page.body?.cancel();
  assert.equal(page.headers.get("access-control-allow-origin"), "https://app.example");
});

Deno.test("start: a port that is in use only on ::1 counts as in use", async () => {
  let taken: Deno.Listener;
  try {
    taken = Deno.listen({ hostname: "::1", port: 0 });
  } catch {
    return console.warn("no ::1 on this machine, left out: a port that is taken there");
  }
  const { port } = taken.addr as Deno.NetAddr;
  const { code, err } = await runCli(["-p", String(port)]);
  taken.close();
  assert.equal(code, 1);
  assert.match(err, new RegExp(`^error: Cannot listen on \\[::1\\]:${port}: it is in use`));
});

Deno.test("config check: allowed host names must be names, and must have an effect", async () => {
  const wrong = await runCli(["config", "check", "--allow-host", "http://box.lan"]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /^error: --allow-host: "http:\/\/box\.lan" must be the name of a host/);
  const idle = await runCli(["config", "check", "--allow-host", "box.lan", "--host", "::1"]);
  assert.equal(idle.code, 0);
  assert.match(idle.err, /warn: --allow-host has no effect/);
});
