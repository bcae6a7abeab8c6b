import assert from "node:assert/strict";
import { TaskcastClient } from "@taskcast/client";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import { runCli, startCli } from "../../testing/servers/cli.ts";
import { until } from "../../testing/sse/sse.ts";
import { tempFolder } from "../../testing/temp_file.ts";

/** Writes a configuration that keeps tasks in a file of Deno KV. */
async function configured(folder: string): Promise<string[]> {
  await Deno.writeTextFile(
    `${folder}/taskcast.config.yaml`,
    "adapters: { shortTerm: { provider: deno-kv, path: tasks.kv } }\n",
  );
  return ["-c", `${folder}/taskcast.config.yaml`, "--host", "127.0.0.1"];
}

Deno.test("deno-kv: kill -9 at any moment loses no acknowledged event and doubles none", async () => {
  await using folder = await tempFolder();
  const args = await configured(folder.path);
  const acknowledged: number[] = [];
  let next = 0;
  for (let round = 0; round < 5; round++) {
    await using server = await startCli(args);
    assert.match(server.process.err, /storage: deno-kv/);
    // A single attempt: an event that is not acknowledged may not be stored.
    const taskcast = new TaskcastServerClient({ baseUrl: server.url, retry: { attempts: 1 } });
    if (round === 0) await taskcast.createTask({ id: "t", ttl: 3600 });
    const publishing = Promise.allSettled(Array.from({ length: 4 }, async (_, producer) => {
      for (;;) {
        // One of the producers sends batches that exceed a single operation of the database.
        const values = Array.from({ length: producer === 0 ? 400 : 1 }, () => next++);
        const events = values.map((value) => ({
          type: `n${value % 50}`,
          data: { delta: `${value};`, value, filling: "x".repeat(value % 97 === 0 ? 70_000 : 10) },
          seriesId: "s",
          seriesMode: "accumulate" as const,
        }));
        await taskcast.publishEvents("t", events);
        acknowledged.push(...values);
      }
    }));
    const goal = acknowledged.length + 500 + 300 * round;
    await until(() => acknowledged.length >= goal, "events are acknowledged");
    server.process.kill("SIGKILL");
    const ends = await publishing;
    assert(ends.every(({ status }) => status === "rejected"), "all were in the middle of it");
  }
  await using server = await startCli(args);
  const taskcast = new TaskcastServerClient({ baseUrl: server.url });
  const log = await Array.fromAsync(taskcast.history("t"));
  assert.deepEqual(log.map(({ index }) => index), log.map((_, i) => i));
  const values = log.map(({ data }) => (data as { value: number }).value);
  const places = new Map(values.map((value, index) => [value, index]));
  assert.equal(places.size, values.length, "nothing is doubled");
  for (const value of acknowledged) assert(places.has(value), `${value} is there`);
  for (const [value, index] of places) {
    // A batch is stored as it was sent: whole, and in order.
    const before = places.get(value - 1);
    if (before !== undefined && log[index]!.timestamp === log[before]!.timestamp) {
      assert(before < index, `${value - 1} is before ${value}`);
    }
  }
  await taskcast.transitionTask("t", "completed");
  const stream = new TaskcastClient({ baseUrl: server.url }).stream("t");
  for await (const event of stream) assert(event.rawIndex >= log.length - 1);
  assert.equal(stream.text("s"), values.map((value) => `${value};`).join(""));
  assert.equal(stream.reason, "completed");
});

Deno.test("deno-kv: readers of two servers on one file get the events of both", async () => {
  await using folder = await tempFolder();
  const args = await configured(folder.path);
  await using one = await startCli(args);
  await using other = await startCli(args);
  const servers = [one, other].map(({ url }) => new TaskcastServerClient({ baseUrl: url }));
  await servers[0]!.createTask({ id: "t" });
  const streams = [one, other].map(({ url }) => new TaskcastClient({ baseUrl: url }).stream("t"));
  const reading = streams.map(async (stream) => {
    const indexes: number[] = [];
    for await (const { rawIndex } of stream) indexes.push(rawIndex);
    return indexes;
  });
  await Promise.all(servers.map(async (server, i) => {
    for (let n = 0; n < 40; n++) {
      const data = { delta: `${i}.${n} ` };
      await server.publishEvent("t", { type: "n", data, seriesId: "s", seriesMode: "accumulate" });
    }
  }));
  await servers[1]!.transitionTask("t", "completed");
  const seen = await Promise.all(reading);
  assert.equal(streams[0]!.text("s"), streams[1]!.text("s"));
  assert.equal(streams[0]!.text("s")!.split(" ").length, 81);
  for (const indexes of seen) assert.deepEqual(indexes, indexes.toSorted((a, b) => a - b));
});

Deno.test("deno-kv: a database that cannot be opened stops the start with one clear line", async () => {
  await using folder = await tempFolder();
  const config = async (adapters: string) => {
    await Deno.writeTextFile(`${folder.path}/c.yaml`, `adapters: ${adapters}\n`);
    return await runCli(["start", "-c", `${folder.path}/c.yaml`], { TASKCAST_PORT: "0" });
  };
  const wrong: [string, RegExp][] = [
    [
      "{ shortTerm: { provider: deno-kv, path: nowhere/at/all.kv } }",
      /error: Cannot use deno-kv: Cannot open the Deno KV file ".*nowhere\/at\/all.kv"/,
    ],
    [
      "{ shortTerm: { provider: deno-kv, maxPending: 0 } }",
      /adapters.shortTerm.maxPending: must be/,
    ],
    ["{ longTerm: { provider: deno-kv } }", /"deno-kv" cannot be the longTerm adapter/],
  ];
  for (const [adapters, message] of wrong) {
    const { code, err } = await config(adapters);
    assert.equal(code, 1);
    assert.match(err, message);
    assert.equal(
      err.trimEnd().split("\n").filter((line) => line.includes("error:")).length,
      1,
      err,
    );
  }
});

Deno.test("deno-kv: without Deno KV the error says how to enable it", async () => {
  const plugin = new URL("../../adapters/deno_kv/plugin.ts", import.meta.url).href;
  const program = `
    const { default: plugin } = await import(${JSON.stringify(plugin)});
    const open = () => plugin.open({ roles: plugin.roles, options: {} });
    delete Deno.openKv;
    await open().catch((error) => console.log(error.message));
    const { Deno: deno } = globalThis;
    delete globalThis.Deno;
    await open().catch((error) => deno.stdout.writeSync(new TextEncoder().encode(error.message)));`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", program],
    cwd: new URL("../../", import.meta.url),
  }).output();
  const said = new TextDecoder().decode(stdout);
  assert.match(said, /^Deno.openKv\(\) is not enabled: run with --unstable-kv, or have "unstable"/);
  assert.match(said, /\nThis runtime has no Deno KV: .*@deno\/kv/);
});

Deno.test("deno-kv: taskcast cleanup works on an existing file, and creates none", async () => {
  await using folder = await tempFolder();
  const [, config] = await configured(folder.path);
  const cleanup = () => runCli(["cleanup", "-c", config!, "--dry-run"]);
  const none = await cleanup();
  assert.equal(none.code, 1);
  assert.match(none.err, /there is no file .*tasks.kv, so there is nothing to clean up/);
  assert.deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), [
    "taskcast.config.yaml",
  ]);
  {
    await using server = await startCli(["-c", config!, "--host", "127.0.0.1"]);
    const taskcast = new TaskcastServerClient({ baseUrl: server.url });
    const rule = { target: "all", trigger: { afterMs: 3_600_000 } } as const;
    await taskcast.createTask({ id: "t", cleanup: { rules: [rule] } });
    await taskcast.transitionTask("t", "completed");
  }
  const { code, err } = await cleanup();
  assert.equal(code, 0, err);
  assert.match(err, /Nothing is due/);
});
