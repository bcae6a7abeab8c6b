import assert from "node:assert/strict";
import { TaskcastClient } from "@taskcast/client";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import { runCli, startCli } from "../../testing/servers/cli.ts";
import { until } from "../../testing/sse/sse.ts";
import { withFile } from "../../testing/temp_file.ts";

Deno.test("kill -9 at any moment loses no acknowledged event and doubles none", async () => {
  await withFile(async (path) => {
    const env = { TASKCAST_STORAGE: "sqlite", TASKCAST_SQLITE_PATH: path };
    const acknowledged: number[] = [];
    let next = 0;
    for (let round = 0; round < 6; round++) {
      await using server = await startCli(["--host", "127.0.0.1"], env);
      // A single attempt: an event that is not acknowledged may not be stored.
      const taskcast = new TaskcastServerClient({ baseUrl: server.url, retry: { attempts: 1 } });
      if (round === 0) await taskcast.createTask({ id: "t", ttl: 3600 });
      const publishing = Promise.allSettled(Array.from({ length: 4 }, async () => {
        for (;;) {
          const value = next++;
          const event = {
            type: "n",
            data: { delta: `${value};`, value },
            seriesId: "s",
            seriesMode: "accumulate" as const,
            producerId: `p${value}`,
            producerSeq: 0,
          };
          await taskcast.publishEvent("t", event);
          acknowledged.push(value);
        }
      }));
      const goal = acknowledged.length + 20 + 15 * round;
      await until(() => acknowledged.length >= goal, "events are acknowledged");
      server.process.kill("SIGKILL");
      const ends = await publishing;
      assert(ends.every(({ status }) => status === "rejected"), "all were in the middle of it");
    }
    await using server = await startCli(["--host", "127.0.0.1"], env);
    const taskcast = new TaskcastServerClient({ baseUrl: server.url });
    const log = await Array.fromAsync(taskcast.history("t"));
    assert.deepEqual(log.map(({ index }) => index), log.map((_, i) => i));
    const values = log.map(({ data }) => (data as { value: number }).value);
    assert.equal(new Set(values).size, values.length, "nothing is doubled");
    for (const value of acknowledged) assert(values.includes(value), `${value} is there`);

    await taskcast.transitionTask("t", "completed");
    const stream = new TaskcastClient({ baseUrl: server.url }).stream("t");
    for await (const event of stream) assert(event.rawIndex >= log.length - 1);
    assert.equal(stream.text("s"), values.map((value) => `${value};`).join(""));
    assert.equal(stream.reason, "completed");
  });
});

Deno.test("a ttl that expired while no server ran ends the task at the next start", async () => {
  await withFile(async (path) => {
    {
      await using server = await startCli(["--sqlite-path", path, "--host", "127.0.0.1"]);
      assert.match(server.process.err, /storage: sqlite /);
      await new TaskcastServerClient({ baseUrl: server.url }).createTask({ id: "t", ttl: 0.2 });
      server.process.kill("SIGKILL");
    }
    await using server = await startCli(["--sqlite-path", path, "--host", "127.0.0.1"]);
    const taskcast = new TaskcastServerClient({ baseUrl: server.url });
    await until(async () => (await taskcast.getTask("t")).status === "timeout", "it timed out");
    const log = await Array.fromAsync(taskcast.history("t"));
    assert.equal(log.length, 1);
  });
});

Deno.test("a file that cannot be opened stops the start with one clear line", async () => {
  const wrong: [string[], RegExp][] = [
    [
      ["--sqlite-path", "/nowhere/at/all.db"],
      /^error: Cannot use sqlite: Cannot open the SQLite file "\/nowhere/,
    ],
    [["--storage", "memory", "--sqlite-path", "x.db"], /^error: A SQLite path needs --storage/],
  ];
  for (const [args, message] of wrong) {
    const { code, err } = await runCli(["start", ...args], { TASKCAST_PORT: "0" });
    assert.equal(code, 1);
    assert.match(err, message);
    assert.equal(err.trimEnd().split("\n").length, 1, err);
  }
});
