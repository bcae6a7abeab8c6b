import { useTask, useTaskEvents, useTaskText } from "@taskcast/react";
import assert from "node:assert/strict";
import type { ReactElement } from "react";
import { createElement as h, Fragment, version } from "react";
import { countingServer, openPage } from "../../testing/pages/react_page.ts";
import { say } from "../../testing/sse/publish.ts";
import { until } from "../../testing/sse/sse.ts";

function Answer({ taskId }: { taskId: string }): string {
  return useTaskText(taskId, "answer");
}

function Log({ taskId, types }: { taskId: string; types?: string[] }): string {
  const { events } = useTaskEvents(taskId, { filter: { types } });
  return events.map(({ type }) => type).join(" ");
}

function State({ taskId }: { taskId: string }): string {
  return useTask(taskId).task?.status ?? "…";
}

function All({ taskId }: { taskId: string }): ReactElement {
  return h(
    Fragment,
    null,
    h(Answer, { taskId }),
    "|",
    h(Log, { taskId }),
    "|",
    h(State, { taskId }),
    "|",
    h(Answer, { taskId }),
  );
}

Deno.test("these tests run with the version of React that they are meant for", () => {
  assert.equal(version.split(".")[0], Deno.env.get("TASKCAST_TEST_REACT") ?? "19");
});

Deno.test("hooks on one task share one connection, under StrictMode too", async () => {
  for (const strict of [false, true]) {
    await using server = countingServer();
    const { id } = await server.engine.createTask();
    await say(server.engine, id, "Hello");
    using page = openPage({ baseUrl: server.url }, { strict });
    page.show(h(All, { taskId: id }));
    await until(() => page.text() === "Hello|llm.delta|pending|Hello", "all show it");
    await say(server.engine, id, ", ", "world");
    await server.engine.transitionTask(id, "running");
    const shown = "Hello, world|llm.delta llm.delta llm.delta taskcast:status|running|Hello, world";
    await until(() => page.text() === shown, "all continue");
    assert.equal(server.streams(), 1);
    assert.equal(server.open(), 1);
    assert.deepEqual(page.errors, []);
    page.unmount();
    await server.isLeftAlone();
  }
});

Deno.test("equal filters share a connection, even if they are new objects each time", async () => {
  await using server = countingServer();
  const { id } = await server.engine.createTask();
  for (const type of ["a", "b", "c"]) await server.engine.publishEvent(id, { type, data: 0 });
  using page = openPage({ baseUrl: server.url });
  const show = (...types: string[][]) =>
    page.show(types.map((types, key) => h("p", { key }, h(Log, { taskId: id, types }))));
  show(["a", "b"], ["b", "a", "b"], ["c"]);
  await until(() => page.text() === "a ba bc", "each shows its events");
  show(["b", "a"], ["a", "b"], ["c", "c"]);
  await server.engine.publishEvent(id, { type: "a", data: 0 });
  await until(() => page.text() === "a b aa b ac", "they continue");
  assert.equal(server.streams(), 2);
  page.unmount();
  await server.isLeftAlone();
});

Deno.test("a component that mounts later has everything at once, over the same connection", async () => {
  await using server = countingServer();
  const { id } = await server.engine.createTask();
  await say(server.engine, id, "one ");
  using page = openPage({ baseUrl: server.url });
  page.show(h(Answer, { taskId: id }));
  await until(() => page.text() === "one ", "the first shows it");
  await say(server.engine, id, "two ", "three");
  await until(() => page.text() === "one two three", "the first continues");
  page.show(h(Fragment, null, h(Answer, { taskId: id }), "|", h(Log, { taskId: id })));
  // Of the series: the snapshot for the first reader, and the events after it.
  await until(
    () => page.text() === "one two three|llm.delta llm.delta llm.delta",
    "the second has what came before it",
  );
  assert.equal(server.streams(), 1);
  page.unmount();
  await server.isLeftAlone();
});

Deno.test("when the id changes, nothing of the old task is shown, and its connection is closed", async () => {
  await using server = countingServer();
  const ids = ["first", "second", "third"];
  for (const id of ids) {
    await server.engine.createTask({ id });
    await say(server.engine, id, `of ${id}`);
  }
  const shown = new Set<string>();
  function Watched({ taskId }: { taskId: string }): string {
    const text = useTaskText(taskId, "answer");
    const { events } = useTaskEvents(taskId);
    for (const event of events) assert.equal(event.taskId, taskId);
    shown.add(`${taskId}: ${text}`);
    return text;
  }
  using page = openPage({ baseUrl: server.url }, { strict: true });
  for (const id of [...ids, "first"]) {
    page.show(h(Watched, { taskId: id }));
    await until(() => page.text() === `of ${id}`, `it shows ${id}`);
  }
  assert.deepEqual(
    [...shown],
    ids.flatMap((id) => [`${id}: `, `${id}: of ${id}`]),
  );
  await until(() => server.open() === 1, "only the last is followed");
  page.unmount();
  await server.isLeftAlone();
});

Deno.test("ids that change while connecting, and an unmount then, leave nothing behind", async () => {
  const signals: AbortSignal[] = [];
  const neverAnswers = (_url: URL | RequestInfo, init?: RequestInit) => {
    const { signal } = init!;
    signals.push(signal!);
    return new Promise<Response>((_, reject) =>
      signal!.addEventListener("abort", () => reject(signal!.reason))
    );
  };
  using page = openPage({ baseUrl: "http://localhost", fetch: neverAnswers }, { strict: true });
  for (const [i, taskId] of ["a", "b", "c"].entries()) {
    page.show(h(Log, { taskId }));
    await until(() => signals.length === i + 1, "it connects");
  }
  page.unmount();
  await until(() => signals.every(({ aborted }) => aborted), "all requests are aborted");
  assert.equal(signals.length, 3);
});

Deno.test("a component that moves keeps the connection", async () => {
  await using server = countingServer();
  const { id } = await server.engine.createTask();
  await say(server.engine, id, "Hello");
  using page = openPage({ baseUrl: server.url });
  for (const key of ["a", "b", "c"]) {
    page.show(h(Answer, { taskId: id, key }));
    await until(() => page.text() === "Hello", "it is shown");
  }
  assert.equal(server.streams(), 1);
  page.unmount();
  await server.isLeftAlone();
});
