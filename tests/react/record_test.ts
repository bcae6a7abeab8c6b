import type { TaskEngine } from "@taskcast/core";
import type { Task } from "@taskcast/react";
import { useTask } from "@taskcast/react";
import assert from "node:assert/strict";
import { createElement as h } from "react";
import { countingServer, openPage } from "../../testing/pages/react_page.ts";
import { until } from "../../testing/sse/sse.ts";

/** Returns the record, without the fields of `getTask` about its log. */
async function recordOf(engine: TaskEngine, id: string): Promise<Task> {
  const { lastIndex: _, subscriberCount: __, ...task } = (await engine.getTask(id))!;
  return task;
}

Deno.test("useTask() shows the record as it changes", async () => {
  await using server = countingServer();
  const { engine } = server;
  const { id } = await engine.createTask({ type: "llm.chat", params: { prompt: "?" } });
  const seen: ReturnType<typeof useTask>[] = [];
  let task: Task | undefined;
  function Watch(): null {
    const state = useTask(id);
    seen.push(state);
    task = state.task;
    return null;
  }
  using page = openPage({ baseUrl: server.url }, { strict: true });
  page.show(h(Watch));
  await until(() => task?.status === "pending", "it is read");
  assert.deepEqual(task, await recordOf(engine, id));
  for (let i = 0; i < 20; i++) await engine.publishEvent(id, { type: "note", data: i });
  await engine.transitionTask(id, "running");
  await until(() => task?.status === "running", "it runs");
  await engine.transitionTask(id, "blocked", {
    reason: "which?",
    blockedRequest: { type: "choice", data: ["a", "b"] },
  });
  await until(() => task?.blockedRequest !== undefined, "the task is blocked");
  assert.deepEqual(task, await recordOf(engine, id));
  await engine.resolve(id, "a");
  await until(() => task?.status === "running", "it continues");
  await engine.transitionTask(id, "completed", { result: { answer: 42 } });
  await until(() => seen.at(-1)!.isDone, "it has ended");
  // At the end everything is there at once, and stays.
  for (const { isDone, doneReason, task, status } of seen.filter(({ isDone }) => isDone)) {
    assert.deepEqual([isDone, doneReason, status], [true, "completed", "done"]);
    assert.deepEqual([task?.status, task?.result], ["completed", { answer: 42 }]);
  }
  const order = ["pending", "running", "blocked", "running", "completed"];
  const statuses = seen.map(({ task }) => task?.status)
    .filter((status, i, all) => status !== undefined && status !== all[i - 1]);
  assert.deepEqual(statuses, order);
  assert.deepEqual(seen.at(-1)!.task!.completedAt, (await engine.getTask(id))!.completedAt);
});

Deno.test("useTask() renders when the task changes, not with each event", async () => {
  await using server = countingServer();
  const { engine } = server;
  const { id } = await engine.createTask();
  let renders = 0;
  let status: string | undefined;
  function Watch(): null {
    renders++;
    status = useTask(id).task?.status;
    return null;
  }
  using page = openPage({ baseUrl: server.url });
  page.show(h(Watch));
  await until(() => status === "pending" && server.open() === 1, "it is read");
  for (let i = 0; i < 200; i++) await engine.publishEvent(id, { type: "note", data: i });
  await engine.transitionTask(id, "running");
  await until(() => status === "running", "it runs");
  // Nothing, connected, read, running, read again.
  assert(renders <= 5, `${renders} renders`);
});

Deno.test("useTask() with a filter for states reads only these", async () => {
  await using server = countingServer();
  const { engine } = server;
  const { id } = await engine.createTask();
  function Watch(): string {
    return useTask(id, { filter: { types: ["taskcast:status"] } }).task?.status ?? "";
  }
  using page = openPage({ baseUrl: server.url });
  page.show(h(Watch));
  await until(() => page.text() === "pending", "it is read");
  await engine.transitionTask(id, "running");
  await until(() => page.text() === "running", "it runs");
});

Deno.test("useTask() shows the end even if the filter excludes status events", async () => {
  await using server = countingServer();
  const { engine } = server;
  const { id } = await engine.createTask();
  function Watch(): string {
    const { task, isDone } = useTask(id, { filter: { types: ["note"] } });
    return `${task?.status} ${isDone}`;
  }
  using page = openPage({ baseUrl: server.url });
  page.show(h(Watch));
  await until(() => page.text() === "pending false", "it is read");
  await engine.transitionTask(id, "failed", { error: { message: "no" } });
  await until(() => page.text() === "failed true", "it has failed");
});

Deno.test("a task that is deleted is done, and its last record stays", async () => {
  await using server = countingServer();
  const { engine } = server;
  const { id } = await engine.createTask();
  function Watch(): string {
    const { task, doneReason, error } = useTask(id);
    return `${task?.status} ${doneReason} ${error}`;
  }
  using page = openPage({ baseUrl: server.url });
  page.show(h(Watch));
  await until(() => page.text() === "pending undefined undefined", "it is read");
  await engine.deleteTask(id);
  await until(() => page.text() === "pending deleted undefined", "it is deleted");
});

Deno.test("useTask().cancel asks the task to stop, and is the same function each time", async () => {
  await using server = countingServer();
  const { engine } = server;
  const { id } = await engine.createTask();
  await engine.transitionTask(id, "running");
  const seen: ReturnType<typeof useTask>[] = [];
  function Watch(): null {
    seen.push(useTask(id));
    return null;
  }
  using page = openPage({ baseUrl: server.url });
  page.show(h(Watch));
  await until(() => seen.at(-1)?.task?.status === "running", "it is read");
  const asked = await seen.at(-1)!.cancel({ reason: "enough" });
  assert.equal(asked.cancel!.reason, "enough");
  await engine.transitionTask(id, "cancelled");
  await until(() => seen.at(-1)!.isDone, "it has ended");
  assert.equal(new Set(seen.map(({ cancel }) => cancel)).size, 1);
  assert.equal(seen.at(-1)!.task!.status, "cancelled");
});
