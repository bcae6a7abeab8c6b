import assert from "node:assert/strict";
import { MemoryBroadcastProvider } from "../memory/broadcast.ts";
import { MemoryLongTermStore } from "../memory/long_term_store.ts";
import { MemoryShortTermStore } from "../memory/short_term_store.ts";
import { TaskcastError } from "../protocol/errors.ts";
import { TaskEngine } from "./engine.ts";
import { objectEncoder } from "../streams/object_encoder.ts";

// Callers without static types get an error that names the wrong argument, and nothing has changed.

// deno-lint-ignore no-explicit-any
type Anything = any;

function parts() {
  return { broadcast: new MemoryBroadcastProvider(), shortTermStore: new MemoryShortTermStore() };
}

/** Wrong arguments that a caller may pass by mistake. */
function nonsense(): Anything[] {
  const sparse: Anything[] = [];
  sparse[1] = { type: "a", data: 1 };
  return [
    undefined,
    null,
    0,
    5,
    -1,
    NaN,
    1n,
    "",
    "x y",
    "..",
    "\0",
    "\ud800",
    true,
    Symbol("s"),
    () => {},
    [],
    [5],
    sparse,
    Object.assign([{ type: "a", data: 1 }], { toJSON: () => [] }),
    {},
    { toJSON: () => ({ type: "a", data: 1 }) },
    Object.create(null),
    new Date(),
    new Map(),
    new (class Own {})(),
    new Proxy({}, {}),
  ];
}

/** A call with valid arguments, each of which is replaced by nonsense in turn. */
const CALLS: Record<string, Anything[]> = {
  createTask: [{}, {}],
  openTask: [{}, {}],
  getTask: ["t"],
  readTask: ["t"],
  listTasks: [{}],
  transitionTask: ["t", "running", {}, {}],
  cancelTask: ["t", {}],
  confirmCancel: ["t", {}],
  watchCancel: ["t", () => {}, {}],
  takeLease: ["t", { ms: 5_000 }, {}],
  renewLeases: [[{ taskId: "t", lease: "1.a" }]],
  heartbeat: ["t", "1.a"],
  resolve: ["t", 1, {}],
  getRequest: ["t"],
  deleteTask: ["none", {}],
  publishEvent: ["t", { type: "a", data: 1 }, {}],
  appendEvent: ["t", { type: "a", data: 1 }, {}],
  publishEvents: ["t", [], {}],
  appendEvents: ["t", [], {}],
  getEvents: ["t", {}],
  readEvents: ["t", {}],
  subscribe: ["t", {}],
  subscribeAll: [{}],
  openStream: ["t", {}, objectEncoder],
  openStreamOfAll: [{}, objectEncoder],
  watchEnd: ["t", () => {}, {}],
  openEndWatch: ["t", () => {}, {}],
  getWebhooks: ["t", {}],
  retryWebhook: ["t", "0", {}],
  listUndelivered: [{}],
  observe: [{}],
  setAside: [{}],
  listDisplaced: [{}],
  exportDisplaced: ["none", "0123abcd"],
  deleteDisplaced: ["none", "0123abcd"],
  archiveBacklog: [{}],
};

/** Methods that take no arguments, or any. */
const WITHOUT = ["constructor", "check", "sweep", "close", "reportError"];

Deno.test("every method of an engine is called with invalid arguments here", () => {
  const descriptors = Object.getOwnPropertyDescriptors(TaskEngine.prototype);
  const methods = Object.entries(descriptors)
    .filter(([, { value }]) => typeof value === "function")
    .map(([name]) => name);
  assert.deepEqual(methods.filter((name) => !(name in CALLS) && !WITHOUT.includes(name)), []);
});

for (const [method, good] of Object.entries(CALLS)) {
  Deno.test(`${method}() takes nonsense for no argument, or says what is wrong with it`, async () => {
    await using engine = new TaskEngine({
      ...parts(),
      longTermStore: new MemoryLongTermStore(),
    });
    await engine.createTask({ id: "t" });
    for (let at = 0; at < good.length; at++) {
      for (const [number, value] of nonsense().entries()) {
        const given = good.with(at, value);
        let result: Anything;
        try {
          result = await (engine as Anything)[method](...given);
          // Streams report errors at the first read.
          if (result instanceof ReadableStream && method === "subscribe") {
            await result.getReader().read();
          } else if (result instanceof ReadableStream) await result.cancel();
        } catch (error) {
          assert(error instanceof TaskcastError, `argument ${at}, value ${number}: ${error}`);
        } finally {
          result?.close?.();
          if (typeof result === "function") result();
        }
      }
    }
    const task = await engine.getTask("t");
    assert.equal(task?.id, "t");
  });
}

Deno.test("options of calls that are none are named", async () => {
  await using engine = new TaskEngine(parts());
  await engine.createTask({ id: "t" });
  const read = (stream: ReadableStream) => stream.getReader().read();
  const any = engine as Anything;
  const cases: [call: () => unknown, path: string][] = [
    [() => any.listTasks({ visible: 5 }), "visible"],
    [() => any.listTasks({ ids: 5 }), "ids"],
    [() => any.listTasks({ status: Array(2) }), "status[0]"],
    [() => any.observe(undefined), "observer"],
    [() => any.observe({ onCommit: 5 }), "observer.onCommit"],
    [() => any.watchEnd("t"), "onEnd"],
    [() => any.watchEnd("t", {}), "onEnd"],
    [() => read(any.subscribeAll({ visible: 5 })), "visible"],
    [() => read(any.subscribe("t", { signal: 5 })), "signal"],
    [() => read(any.subscribe("t", { filter: { types: Array(1) } })), "filter.types[0]"],
    [() => any.openStream("t", {}), "encoder"],
    [() => any.listUndelivered({ after: 5 }), "after"],
    [() => any.listDisplaced({ after: {} }), "after.id"],
    [() => any.deleteTask("t", { incarnation: 5 }), "incarnation"],
    [() => any.listUndelivered({ after: { taskId: "\0", atMs: 1 } }), "after.taskId"],
    [() => any.listUndelivered({ after: { taskId: "t", atMs: NaN } }), "after.atMs"],
    [() => any.publishEvents("t", [, { type: "a", data: 1 }]), "[0]"], // deno-lint-ignore no-sparse-arrays
    [() => any.publishEvent("t", { type: "a", data: [1, , 3] }), "data[1]"], // deno-lint-ignore no-sparse-arrays
    [() => any.createTask({ tags: Array(1) }), "tags[0]"],
    [() => any.createTask({ tags: Object.assign(["a"], { toJSON: () => 5 }) }), "tags"],
    [() => any.createTask({ params: { a: Object.assign([], { toJSON: () => 5 }) } }), "params.a"],
    [() => any.createTask(hidden({ type: "a" })), ""],
    [() => any.publishEvent("t", { type: "a", data: hidden({}) }), "data"],
    [() => any.publishEvent("t", { type: "a", data: hidden([1]) }), "data"],
    [() => any.transitionTask("t", "running", { result: hidden({}) }), "result"],
    [() => any.createTask({ authConfig: { rules: hidden([]) } }), "authConfig.rules"],
  ];
  for (const [call, path] of cases) {
    await assert.rejects(async () => await call(), (error: TaskcastError) => {
      assert.equal(error.code, "INVALID_INPUT", `${path}: ${error}`);
      assert.equal(error.details?.path, path);
      return true;
    });
  }
  assert.equal((await engine.listTasks()).tasks.length, 1);
  assert.equal((await engine.getTask("t"))?.lastIndex, -1);
});

/** A value with a hidden `toJSON`, which makes JSON use another value. */
function hidden<T extends object>(value: T): T {
  return Object.defineProperty(value, "toJSON", { value: () => 5, enumerable: false });
}

Deno.test("an engine is not created with invalid parts", () => {
  const named: [options: Anything, message: RegExp][] = [
    [undefined, /TaskEngine needs an object of options/],
    [{ ...parts(), shortTermStore: {} }, /"shortTermStore".*commit\(\)/],
    [{ ...parts(), shortTermStore: null }, /"shortTermStore".*commit\(\)/],
    [{ ...parts(), shortTermStore: "memory" }, /"shortTermStore".*commit\(\)/],
    [{ ...parts(), broadcast: {} }, /"broadcast".*subscribe\(\)/],
    [{ ...parts(), longTermStore: new MemoryShortTermStore() }, /"longTermStore".*archive\(\)/],
  ];
  for (const [options, message] of named) {
    assert.throws(() => new TaskEngine(options), { name: "TypeError", message });
  }
  const invalid: [more: Anything, path: string][] = [
    [{ hooks: 5 }, "hooks"],
    [{ hooks: { onTaskFailed: "log" } }, "hooks.onTaskFailed"],
    [{ webhooks: {} }, "webhooks.sender"],
    [{ webhooks: { sender: { send: () => {} } } }, "webhooks.sender"],
    [{ cleanup: [] }, "cleanup"],
    [{ cleanup: { rules: Array(1) } }, "cleanup.rules[0]"],
    [{ limits: 5 }, "limits"],
    [{ limits: { maxEvents: 5 } }, "limits.maxEvents"],
    [{ options: "fast" }, "options"],
    [{ options: { pageSze: 5 } }, "options.pageSze"],
    [{ tracer: {} }, "tracer"],
    [{ clock: { now: () => 1 } }, "clock"],
  ];
  for (const [more, path] of invalid) {
    assert.throws(() => new TaskEngine({ ...parts(), ...more }), (error: TaskcastError) => {
      assert.equal(error.code, "INVALID_INPUT", `${path}: ${error}`);
      assert.equal(error.details?.path, path);
      return true;
    });
  }
  void new TaskEngine({ ...parts(), longTermStore: new MemoryLongTermStore() }).close();
});
