import type { StreamState, TaskControl } from "@taskcast/react";
import { TaskcastProvider, useTask, useTaskEvents, useTaskText } from "@taskcast/react";
import assert from "node:assert/strict";
import { createElement as h } from "react";
import { renderToString } from "react-dom/server";
import { countingServer, openPage } from "../../testing/pages/react_page.ts";
import { say } from "../../testing/sse/publish.ts";
import { until } from "../../testing/sse/sse.ts";

let seen: [string, StreamState, StreamState][] = [];

function All({ taskId, enabled }: { taskId?: string | null; enabled?: boolean }): string {
  const text = useTaskText(taskId, "answer", { enabled });
  const events = useTaskEvents(taskId, { enabled });
  const task = useTask(taskId, { enabled });
  seen.push([text, events, task]);
  return `text: ${text}; ${events.events.length} events`;
}

const refuse = () => assert.fail("a server asks for nothing");

Deno.test("on a server everything is empty and pending, and no request is sent", () => {
  seen = [];
  const provider = { baseUrl: "http://localhost", fetch: refuse };
  const html = renderToString(h(TaskcastProvider, provider, h(All, { taskId: "t" })));
  assert.equal(html, "text: ; 0 events");
  const pending = {
    status: "connecting",
    isDone: false,
    doneReason: undefined,
    error: undefined,
  };
  assert.equal(seen.length, 1);
  const [text, events, shown] = seen[0]!;
  const { cancel, ...task } = shown as TaskControl;
  assert.deepEqual(
    [text, events, task],
    ["", { ...pending, events: [], dropped: 0 }, { ...pending, task: undefined }],
  );
  assert.equal(typeof cancel, "function");
});

Deno.test("a page hydrates the server's rendering without warnings", async () => {
  await using server = countingServer();
  const { id } = await server.engine.createTask();
  await say(server.engine, id, "Hello");
  const provider = { baseUrl: server.url };
  const html = renderToString(h(TaskcastProvider, provider, h(All, { taskId: id })));
  using page = openPage(provider, { html });
  assert.equal(page.text(), "text: ; 0 events");
  page.show(h(All, { taskId: id }));
  await until(() => page.text() === "text: Hello; 1 events", "it continues");
  assert.deepEqual(page.errors, []);
  page.unmount();
  await server.isLeftAlone();
});

Deno.test("without an id, and turned off, nothing is followed", async () => {
  for (const props of [{}, { taskId: null }, { taskId: "" }, { taskId: "t", enabled: false }]) {
    seen = [];
    using page = openPage({ baseUrl: "http://localhost", fetch: refuse }, { strict: true });
    page.show(h(All, props));
    await until(() => page.text() !== "", "it is shown");
    for (const [text, events, task] of seen) {
      assert.deepEqual([text, events.status, task.status], ["", "idle", "idle"]);
    }
  }
});

Deno.test("a hook without a provider and a provider without a client report what is missing", () => {
  assert.throws(() => renderToString(h(All, { taskId: "t" })), /need a <TaskcastProvider>/);
  const nothing = {} as unknown as { baseUrl: string };
  assert.throws(() => renderToString(h(TaskcastProvider, nothing)), /a client or a baseUrl/);
  assert.throws(() => renderToString(h(TaskcastProvider, { baseUrl: "nonsense" })), TypeError);
});
