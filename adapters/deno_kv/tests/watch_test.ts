import assert from "node:assert/strict";
import type { Signal } from "@taskcast/core/adapter";
import { TaskEngine } from "@taskcast/core";
import { createDenoKvAdapters } from "@taskcast/deno-kv";
import { ObservedKv } from "../../../testing/databases/observed_kv.ts";
import { withFile } from "../../../testing/temp_file.ts";
import { until } from "../../../testing/sse/sse.ts";

/** Opens two connections to one file, like two isolates with one database. */
async function withTwo(
  use: (one: Connection, other: Connection) => Promise<void>,
): Promise<void> {
  await withFile(async (path) => {
    const open = async () => createDenoKvAdapters(await Deno.openKv(path), { closesKv: true });
    const [one, other] = [await open(), await open()];
    try {
      await use(one, other);
    } finally {
      for (const { broadcast, shortTerm } of [one, other]) {
        await Promise.all([broadcast.close(), shortTerm.close()]);
      }
    }
  });
}

type Connection = ReturnType<typeof createDenoKvAdapters>;

Deno.test("deno-kv: a listener on one connection is told of its task on another, and of no other task", async () => {
  await withTwo(async ({ broadcast }, other) => {
    const heard: Signal[] = [];
    const ids = Array.from({ length: 25 }, (_, i) => `t${i}`);
    // Published before there are listeners: not received.
    await other.broadcast.publish({ taskId: "t0", from: 0, length: 7 });
    const stops = await Promise.all(
      ids.map((taskId) => broadcast.subscribe({ taskId }, (signal) => heard.push(signal))),
    );
    await stops[3]!();
    for (const taskId of [...ids, "unheard"]) {
      await other.broadcast.publish({ taskId, from: 0, length: 1 });
    }
    await until(() => heard.length === 24, "all who still listen have heard");
    const wanted = ids.filter((id) => id !== "t3").toSorted();
    assert.deepEqual(heard.map(({ taskId }) => taskId).toSorted(), wanted);
    assert(heard.every(({ length }) => length === 1));
    await other.broadcast.publish({ taskId: "t9", from: 1, length: 2, ended: true });
    await other.broadcast.publish({ taskId: "t9", from: 2, length: 3 });
    await until(() => heard.some(({ ended }) => ended), "the end is heard");
  });
});

Deno.test("deno-kv: a later listener is watched together with the existing ones", async () => {
  await withTwo(async ({ broadcast }, other) => {
    const heard: string[] = [];
    const listen = (taskId: string) => broadcast.subscribe({ taskId }, () => heard.push(taskId));
    await listen("a");
    const stop = await listen("b");
    await stop();
    await listen("c");
    await listen("b");
    for (const taskId of ["a", "b", "c"]) {
      await other.broadcast.publish({ taskId, from: 0, length: 1 });
    }
    await until(() => heard.length === 3, "all have been heard");
    assert.deepEqual(heard.toSorted(), ["a", "b", "c"]);
  });
});

Deno.test("deno-kv: a reader on another connection gets each event without polling", async () => {
  await withTwo(async (one, other) => {
    const options = { pollMs: 3_600_000 };
    await using writer = new TaskEngine({
      broadcast: one.broadcast,
      shortTermStore: one.shortTerm,
      options,
    });
    await using reader = new TaskEngine({
      broadcast: other.broadcast,
      shortTermStore: other.shortTerm,
      options,
    });
    const { id } = await writer.createTask();
    const values: unknown[] = [];
    const reading = (async () => {
      for await (const message of reader.subscribe(id)) {
        if (message.kind === "event" && message.event.type === "n") values.push(message.event.data);
      }
    })();
    for (let i = 0; i < 20; i++) {
      await writer.publishEvents(id, [{ type: "n", level: "info", data: i }]);
      await until(() => values.length === i + 1, `event ${i} has come`);
    }
    await writer.transitionTask(id, "completed");
    await reading;
    assert.deepEqual(values, Array.from({ length: 20 }, (_, i) => i));
  });
});

Deno.test("deno-kv: polls find what others wrote if a watch reports nothing", async () => {
  const kv = new ObservedKv(await Deno.openKv(":memory:"));
  const other = createDenoKvAdapters(kv);
  kv.watch = (keys) =>
    new ReadableStream({
      start: async (controller) => controller.enqueue(await kv.getMany(keys)),
    });
  const { broadcast } = createDenoKvAdapters(kv, { lookMs: 5 });
  const heard: Signal[] = [];
  const stop = await broadcast.subscribe({ taskId: "t" }, (signal) => heard.push(signal));
  for (let length = 1; length < 4; length++) {
    await other.broadcast.publish({ taskId: "t", from: length - 1, length });
    await until(() => heard.length === length, "it is heard");
  }
  assert.deepEqual(heard.map(({ length }) => length), [1, 2, 3]);
  await stop();
  await Promise.all([broadcast.close(), other.broadcast.close()]);
  kv.close();
  assert.throws(() => createDenoKvAdapters(kv, { lookMs: 0 }), RangeError);
});

Deno.test("deno-kv: a watch that breaks is begun again, and nothing in between is missed", async () => {
  const kv = new ObservedKv(await Deno.openKv(":memory:"));
  const other = createDenoKvAdapters(kv);
  const { broadcast } = createDenoKvAdapters(kv);
  const watch = kv.watch.bind(kv);
  let breakOff = () => {};
  let watches = 0;
  kv.watch = (keys) => {
    if (watches++ > 0) return watch(keys);
    return new ReadableStream({
      async start(controller) {
        controller.enqueue(await kv.getMany(keys));
        breakOff = () => controller.error(new TypeError("the connection is gone"));
      },
    });
  };
  const heard: Signal[] = [];
  await broadcast.subscribe({ taskId: "t" }, (signal) => heard.push(signal));
  breakOff();
  await other.broadcast.publish({ taskId: "t", from: 0, length: 5 });
  await until(() => heard.length === 1, "the next watch tells of it");
  assert.equal(heard[0]!.length, 5);
  await Promise.all([broadcast.close(), other.broadcast.close()]);
  kv.close();
});
