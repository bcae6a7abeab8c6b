import assert from "node:assert/strict";
import { ELSEWHERE, startCli } from "../../testing/servers/cli.ts";
import { frames, until } from "../../testing/sse/sse.ts";

// Deno has two servers; other runtimes have one, which every test uses.
for (const listener of ELSEWHERE ? [] : ["deno", "node"]) {
  Deno.test(`--listener ${listener}: streams are live, end when readers leave, and drain at a signal`, async () => {
    await using server = await startCli(["--listener", listener]);
    const { url, process } = server;
    const send = async (path: string, body: unknown) => {
      const response = await fetch(url + path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      assert.equal(response.status, 201);
      await response.body?.cancel();
    };
    const streams = async () => {
      const metrics = await (await fetch(`${url}/metrics`)).text();
      return Number(/^taskcast_streams (\d+)$/m.exec(metrics)![1]);
    };
    await send("/tasks", { id: "t" });
    const leaving = await fetch(`${url}/tasks/t/events`);
    const reading = frames(`${url}/tasks/t/events`);
    assert.equal((await reading.next()).value!.event, "taskcast.open");
    await until(async () => await streams() === 2, "both streams are open");
    for (let i = 0; i < 3; i++) {
      await send("/tasks/t/events", { type: "n", data: i });
      assert.equal((await reading.next()).value!.data.data, i);
    }
    await leaving.body!.cancel();
    await until(async () => await streams() === 1, "the aborted stream has ended");
    process.kill("SIGTERM");
    assert.equal((await reading.next()).done, true);
    assert.equal(await process.ended, 0);
  });
}

for (const args of ELSEWHERE ? [[]] : [["--listener", "deno"], ["--listener", "node"]]) {
  Deno.test(`${args.join(" ")}: an unused connection does not delay the shutdown`, async () => {
    await using server = await startCli(args);
    const { hostname, port } = new URL(server.url);
    using _unused = await Deno.connect({ hostname, port: Number(port) });
    await (await fetch(`${server.url}/health`)).body?.cancel(); // Both were noticed.
    server.process.kill("SIGTERM");
    assert.equal(await server.process.ended, 0);
    assert.doesNotMatch(server.process.err, /still open/);
  });
}
