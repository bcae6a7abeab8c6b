import assert from "node:assert/strict";
import { delayReads } from "../../conformance/mod.ts";
import { MemoryBroadcastProvider } from "../../memory/broadcast.ts";
import { MemoryLongTermStore } from "../../memory/long_term_store.ts";
import { MemoryShortTermStore } from "../../memory/short_term_store.ts";
import { TaskEngine } from "../engine.ts";
import type { TaskEngineOptions } from "../options.ts";

function setUp(options: Partial<TaskEngineOptions> = {}) {
  const shared = {
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
    ...options,
  };
  return () => new TaskEngine(shared);
}

const keyed = (key: string, caller?: string) => ({ idempotency: { key, caller } });

Deno.test("the same caller, key and input give the same task, and only one", async () => {
  const open = setUp({ shortTermStore: delayReads(new MemoryShortTermStore(), 1) });
  await using one = open();
  await using two = open();
  const input = { type: "chat", params: { a: 1, b: [2] } };
  const same = { params: { b: [2], a: 1 }, type: "chat" };
  const created = await Promise.all(
    Array.from(
      { length: 20 },
      (_, i) => (i % 2 ? one : two).openTask(i % 3 ? input : same, keyed("k")),
    ),
  );
  assert.equal(new Set(created.map(({ task }) => task.id)).size, 1);
  assert.equal(created.filter(({ isReplay }) => !isReplay).length, 1);
  assert.equal((await one.listTasks()).tasks.length, 1);
  assert.match(created[0]!.task.id, /^k~[A-Za-z0-9_-]{32}$/);
  assert(!("inputHash" in (await one.getTask(created[0]!.task.id))!));
});

Deno.test("another input is refused, and keys of other callers are other keys", async () => {
  await using engine = setUp()();
  const first = await engine.createTask({ type: "a" }, keyed("k", "u1"));
  const conflict = engine.createTask({ type: "b" }, keyed("k", "u1"));
  await assert.rejects(conflict, { code: "IDEMPOTENCY_CONFLICT" });
  const others = [keyed("k", "u2"), keyed("k"), keyed("K", "u1")];
  for (const other of others) {
    assert.notEqual((await engine.createTask({ type: "b" }, other)).id, first.id);
  }
});

Deno.test("a replay gives the task as it is now, with its lease for the same caller", async () => {
  await using engine = setUp()();
  const input = { lease: { ms: 30_000 } };
  const { id, lease } = await engine.createTask(input, keyed("k"));
  const again = await engine.openTask(input, keyed("k"));
  assert.deepEqual([again.isReplay, again.task.id, again.task.lease], [true, id, lease]);
  await engine.transitionTask(id, "completed", { result: { n: 1 } });
  const late = await engine.createTask(input, keyed("k"));
  assert.deepEqual([late.status, late.result, late.lease], ["completed", { n: 1 }, undefined]);
  await engine.deleteTask(id);
  assert.equal(
    (await engine.openTask(input, keyed("k"))).isReplay,
    false,
    "a deleted task is gone",
  );
});

Deno.test("a replay finds a task that only the archive has", async () => {
  const open = setUp({
    longTermStore: new MemoryLongTermStore(),
    options: { archiveDelayMs: 0, hotRetentionMs: 0 },
  });
  await using engine = open();
  const { id } = await engine.createTask({ type: "a" }, keyed("k"));
  await engine.transitionTask(id, "completed");
  await engine.sweep();
  await engine.sweep();
  const again = await engine.openTask({ type: "a" }, keyed("k"));
  assert.deepEqual([again.isReplay, again.task.status], [true, "completed"]);
});

Deno.test("ifExists returns a task that has the id, whatever its input was", async () => {
  await using engine = setUp()();
  const options = { ifExists: "return" } as const;
  const created = await engine.openTask({ id: "t", type: "a" }, options);
  const again = await engine.openTask({ id: "t", type: "b" }, options);
  assert.deepEqual([created.isReplay, again.isReplay, again.task.type], [false, true, "a"]);
  await assert.rejects(engine.createTask({ id: "t" }), { code: "TASK_EXISTS" });
  for (const wrong of [{ ifExists: "fail" }, { idempotency: { key: "" } }, { idempotency: {} }]) {
    await assert.rejects(engine.createTask({}, wrong as typeof options), { code: "INVALID_INPUT" });
  }
  await assert.rejects(engine.createTask({}, options), { code: "INVALID_INPUT" });
  await assert.rejects(engine.createTask({ id: "t" }, keyed("k")), { code: "INVALID_INPUT" });
  await assert.rejects(engine.createTask({}, keyed("k".repeat(256))), { code: "INVALID_INPUT" });
});

Deno.test("names of the server are refused from outside", async () => {
  await using engine = setUp()();
  const refused = { code: "INVALID_INPUT", message: /reserved/ };
  await assert.rejects(engine.createTask({ id: "k~abc" }), refused);
  await assert.rejects(engine.createTask({ tags: ["a", "taskcast:a"] }), refused);
  await assert.rejects(engine.createTask({ metadata: { "taskcast:a": 1 } }), refused);
  const { id } = await engine.createTask({ tags: ["taskcast"], metadata: { taskcast: 1 } });
  const event = { type: "n", data: 1, producerId: "taskcast:p", producerSeq: 0 };
  await assert.rejects(engine.publishEvent(id, event), refused);
});
