import assert from "node:assert/strict";
import { cli, type CliProcess, type CommandWords } from "./cli.ts";
import { cuttingProxy } from "../network/cutting_proxy.ts";
import { until } from "../sse/sse.ts";
import { startServer } from "./test_server.ts";

const FOLDER = new URL("../../examples/worker_fetch/", import.meta.url);

/** Registers the tests of examples/worker_fetch on a runtime. */
export function testFetchWorkers(runtime: string, command: CommandWords): void {
  const start = (file: string, ...args: string[]) => cli([file, ...args], {}, FOLDER, command);

  Deno.test(`examples/worker_fetch: what is produced is followed, on ${runtime}`, async () => {
    await using server = startServer();
    await using producer = start("produce.mjs", server.url);
    await using reader = start("follow.mjs", server.url, await idOf(producer));
    assert.deepEqual([await producer.ended, await reader.ended], [0, 0], reader.err);
    assert.deepEqual(shown(reader), ["1 2 3 4 5 ", "completed"]);
    await using late = start("follow.mjs", server.url, await idOf(producer));
    assert.equal(await late.ended, 0);
    assert.deepEqual(shown(late), ["1 2 3 4 5 ", "completed"]);
  });

  Deno.test(`examples/worker_fetch: a producer of a cancelled task ends in peace, on ${runtime}`, async () => {
    await using server = startServer();
    await using producer = start("produce.mjs", server.url);
    const id = await idOf(producer);
    await until(
      async () => (await server.engine.getEvents(id)).events.length > 0,
      "something is produced",
    );
    await server.engine.transitionTask(id, "cancelled");
    assert.equal(await producer.ended, 0, producer.err);
    assert.equal((await server.engine.getTask(id))?.status, "cancelled");
  });

  Deno.test(`examples/worker_fetch: a lost connection costs no text, on ${runtime}`, async () => {
    await using server = startServer();
    const budgets = [1_200, 900];
    await using proxy = cuttingProxy(server.url, () => budgets.shift() ?? Infinity);
    const { id } = await server.engine.createTask();
    await using reader = start("follow.mjs", proxy.url, id);
    await until(() => server.engine.stats.streams === 1, "it is followed");
    for (const word of ["Once ", "upon ", "a ", "time ", "…"]) {
      await server.engine.publishEvent(id, {
        type: "count",
        data: { delta: word },
        seriesId: "text",
        seriesMode: "accumulate",
      });
    }
    await server.engine.transitionTask(id, "completed");
    assert.equal(await reader.ended, 0, reader.err);
    assert.equal(proxy.cuts, 2);
    assert.deepEqual(shown(reader), ["Once upon a time …", "completed"]);
  });

  Deno.test(`examples/worker_fetch: a reader without a task says how it is used, on ${runtime}`, async () => {
    await using reader = start("follow.mjs", "http://localhost:3721");
    assert.equal(await reader.ended, 2);
    assert.match(reader.err, /^usage: node follow\.mjs /);
  });

  Deno.test(`examples/worker_fetch: there is no following what is not there, on ${runtime}`, async () => {
    await using server = startServer();
    await using reader = start("follow.mjs", server.url, "nothing");
    assert.equal(await reader.ended, 1);
    assert.match(reader.err, /TASK_NOT_FOUND/);
  });
}

async function idOf(producer: CliProcess): Promise<string> {
  await until(() => producer.out.includes("\n"), "the task is created");
  return producer.out.trim();
}

/** Returns the last lines of a terminal: the text, and the reason of its end. */
function shown(reader: CliProcess): string[] {
  return reader.out.trimEnd().split("\n").map((line) => line.split("\r").at(-1)!);
}
