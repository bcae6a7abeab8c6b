import assert from "node:assert/strict";
import type { ErrorContext, TaskcastHooks } from "../contracts/hooks.ts";
import { MemoryBroadcastProvider } from "../memory/broadcast.ts";
import { MemoryShortTermStore } from "../memory/short_term_store.ts";
import { TaskEngine } from "./engine.ts";

function engineWith(hooks: TaskcastHooks): TaskEngine {
  return new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
    hooks,
  });
}

Deno.test("hooks are called once each, after the change is stored", async () => {
  const calls: unknown[] = [];
  const engine: TaskEngine = engineWith({
    async onTaskCreated(task) {
      calls.push(["created", task.id, (await engine.getTask(task.id))?.status]);
    },
    onTaskTransitioned: (task, from) => void calls.push(["transitioned", from, task.status]),
    onTaskFailed: (task, error) => void calls.push(["failed", task.status, error?.message]),
    onTaskTimeout: (task) => void calls.push(["timeout", task.status]),
  });
  await using _ = engine;
  await engine.createTask({ id: "t" });
  await engine.transitionTask("t", "running");
  await engine.transitionTask("t", "failed", { error: { message: "broke" } });
  await engine.createTask({ id: "u" });
  await engine.transitionTask("u", "timeout");
  assert.deepEqual(
    calls,
    [
      ["transitioned", "pending", "running"],
      ["created", "t", "pending"],
      ["transitioned", "running", "failed"],
      ["failed", "failed", "broke"],
      ["transitioned", "pending", "timeout"],
      ["timeout", "timeout"],
      ["created", "u", "pending"],
    ].toSorted(byText(calls)),
  );
});

/** Hooks may be asynchronous, so calls are compared without the order in which they finished. */
function byText(like: unknown[]): (a: unknown, b: unknown) => number {
  const place = (call: unknown) =>
    like.findIndex((other) => JSON.stringify(other) === JSON.stringify(call));
  return (a, b) => place(a) - place(b);
}

Deno.test("a hook that throws or rejects changes nothing and is reported with its task", async () => {
  const reported: [string, ErrorContext][] = [];
  await using engine = engineWith({
    onTaskCreated() {
      throw new Error("thrown");
    },
    onTaskTransitioned: () => Promise.reject(new Error("rejected")),
    onUnhandledError: (error, context) => void reported.push([(error as Error).message, context]),
  });
  await engine.createTask({ id: "t" });
  await engine.transitionTask("t", "completed");
  await Promise.resolve();
  assert.equal((await engine.getTask("t"))?.status, "completed");
  assert.deepEqual(reported, [
    ["thrown", { operation: "hook onTaskCreated", taskId: "t" }],
    ["rejected", { operation: "hook onTaskTransitioned", taskId: "t" }],
  ]);
});

Deno.test("changes that a hook makes to its task affect nothing", async () => {
  await using engine = engineWith({
    onTaskCreated: (task) => void (task.params!.a = "changed"),
    onTaskTransitioned: (task) => void (task.status = "failed"),
  });
  const created = await engine.createTask({ id: "t", params: { a: 1 } });
  const ended = await engine.transitionTask("t", "completed");
  assert.deepEqual(created.params, { a: 1 });
  assert.equal(ended.status, "completed");
  assert.deepEqual((await engine.getTask("t"))?.params, { a: 1 });
});
