import { TaskcastHttpError, useTask, useTaskEvents, useTaskText } from "@taskcast/react";
import assert from "node:assert/strict";
import { createElement as h } from "react";
import { seededRandom } from "../../core/conformance/seeded_random.ts";
import { cuttingProxy } from "../../testing/network/cutting_proxy.ts";
import { freePort } from "../../testing/network/free_port.ts";
import { countingServer, openPage } from "../../testing/pages/react_page.ts";
import { say } from "../../testing/sse/publish.ts";
import { doneFrame, scriptedServer, sse } from "../../testing/servers/scripted_server.ts";
import { until } from "../../testing/sse/sse.ts";

type Events = ReturnType<typeof useTaskEvents>;

Deno.test("over connections that break anywhere, nothing is lost or doubled", async () => {
  await using server = countingServer();
  const random = seededRandom(7);
  // The budget grows; otherwise a text longer than every connection could never arrive.
  let budget = 600;
  await using proxy = cuttingProxy(server.url, () => (budget += 300) * random());
  const { id } = await server.engine.createTask();
  const seen: Events[] = [];
  let text = "";
  function Watch(): null {
    seen.push(useTaskEvents(id, { maxEvents: 5000 }));
    text = useTaskText(id, "answer");
    return null;
  }
  using page = openPage({ baseUrl: proxy.url }, { strict: true });
  page.show(h(Watch));
  let expected = "";
  for (let i = 0; i < 300; i++) {
    await say(server.engine, id, `${i} привет 🎉;`);
    await server.engine.publishEvent(id, { type: "note", data: i });
    expected += `${i} привет 🎉;`;
    if (i % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await server.engine.transitionTask(id, "completed");
  await until(() => seen.at(-1)?.isDone === true, "it has ended");
  const { events, doneReason, dropped, status, error } = seen.at(-1)!;
  assert.deepEqual([status, doneReason, error, dropped], ["done", "completed", undefined, 0]);
  assert(proxy.cuts > 5, `${proxy.cuts} cuts`);
  assert.equal(text, expected);
  const notes = events.filter(({ type }) => type === "note").map(({ data }) => data);
  assert.deepEqual(notes, Array.from({ length: 300 }, (_, i) => i));
  // The remaining events of the series contain the whole text, once.
  const deltas = events.filter(({ seriesId }) => seriesId === "answer");
  assert.equal(deltas.map(({ data }) => (data as { delta: string }).delta).join(""), expected);
  assert(seen.some(({ status }) => status === "reconnecting"));
  for (const { status, error } of seen) {
    assert(["connecting", "open", "reconnecting", "done"].includes(status), status);
    assert(error === undefined || status === "reconnecting");
  }
});

Deno.test("a final refusal is the error; disabling and enabling the hook retries", async () => {
  await using server = countingServer();
  let seen: Events | undefined;
  function Watch({ enabled }: { enabled: boolean }): string {
    seen = useTaskEvents("later", { enabled });
    const { error } = useTask("later", { enabled });
    return `${seen.status} ${error?.message ?? ""}`;
  }
  using page = openPage({ baseUrl: server.url }, { strict: true });
  page.show(h(Watch, { enabled: true }));
  await until(() => seen?.status === "error", "it is refused");
  const { error, isDone, events } = seen!;
  assert(error instanceof TaskcastHttpError && error.status === 404);
  assert.equal(error.code, "TASK_NOT_FOUND");
  assert.deepEqual([isDone, events], [false, []]);
  assert.match(page.text(), /^error .*later/);
  assert.equal(server.streams(), 1);

  await server.engine.createTask({ id: "later" });
  page.show(h(Watch, { enabled: false }));
  await until(() => page.text() === "idle ", "it is off");
  page.show(h(Watch, { enabled: true }));
  await until(() => page.text() === "open ", "it is followed");
  assert.equal(server.streams(), 2);
  page.unmount();
  await server.isLeftAlone();
});

Deno.test("a refused token is an error; a new token is used at once", async () => {
  await using server = scriptedServer((request) =>
    request.headers.get("authorization") === "Bearer good"
      ? sse(doneFrame("c1"))()
      : new Response("", { status: 401 })
  );
  function Watch(): string {
    const { status, error } = useTaskEvents("t");
    return `${status} ${error instanceof TaskcastHttpError ? error.code : ""}`;
  }
  using page = openPage({ baseUrl: server.url, token: "bad" });
  page.show(h(Watch));
  await until(() => page.text() === "error UNAUTHORIZED", "it is refused");
  page.show(h(Watch), { token: "good" });
  await until(() => page.text() === "done ", "the new token is used");
});

Deno.test("a token function may be a new object on each render: the newest is called", async () => {
  await using server = scriptedServer(
    () => new Response("", { status: 401 }),
    sse("event: taskcast.open\ndata: {}\n\n"),
  );
  const asked: string[] = [];
  function Watch(): string {
    return useTaskEvents("t").status;
  }
  using page = openPage({ baseUrl: server.url });
  const tokens = (name: string) => ({ refresh }: { refresh: boolean }) => {
    asked.push(`${name} ${refresh}`);
    return name;
  };
  page.show(h(Watch), { token: tokens("first") });
  await until(() => server.requests.length > 2, "it connects and connects again");
  assert.deepEqual(asked.slice(0, 2), ["first false", "first true"]);
  page.show(h(Watch), { token: tokens("second") });
  await until(() => asked.includes("second false"), "the next connection asks the second");
  const from = asked.indexOf("second false");
  await until(() => asked.length > from + 5, "it continues");
  assert(asked.slice(from).every((name) => name === "second false"));
});

Deno.test("a server that is absent from the start is reported at once", async () => {
  function Watch(): string {
    const { status, error } = useTaskEvents("t");
    return `${status} ${error?.name}`;
  }
  using page = openPage({ baseUrl: `http://127.0.0.1:${freePort()}` });
  page.show(h(Watch));
  await until(() => page.text() === "reconnecting UnreachableError", "the error is shown");
});

Deno.test("a long network outage is reported, and the error is unset when it is over", async () => {
  const down = () => new Response("", { status: 502 });
  let isUp = false;
  await using server = scriptedServer(sse("event: taskcast.open\ndata: {}\n\n"), () => {
    if (!isUp) return down();
    return new Response(
      new ReadableStream({
        start: (controller) =>
          controller.enqueue(new TextEncoder().encode("event: taskcast.open\ndata: {}\n\n")),
      }),
      { headers: { "content-type": "text/event-stream" } },
    );
  });
  const seen: string[] = [];
  function Watch(): null {
    const { status, error } = useTaskEvents("t");
    const told = error === undefined ? status : `${status} ${error.message}`;
    if (told !== seen.at(-1)) seen.push(told);
    return null;
  }
  // Slow enough that each attempt is visible.
  const connection = { minDelayMs: 100, maxDelayMs: 100, random: () => 0.999 };
  using page = openPage({ baseUrl: server.url, connection });
  page.show(h(Watch));
  const isErrorShown = () =>
    seen.at(-1)?.startsWith("reconnecting The server answered 502 to /tasks/t/");
  await until(() => isErrorShown() === true, "the error is shown");
  assert.equal(server.requests.length, 3, "one that is cut, and then two that are refused");
  isUp = true;
  await until(() => seen.at(-1) === "open", "it is back");
  assert.deepEqual(seen.filter((told) => !told.includes(" ")), [
    "connecting",
    "reconnecting",
    "open",
  ]);
});

Deno.test("a long wait that the server asks for is reported at once", async () => {
  await using _server = scriptedServer(() =>
    new Response("", { status: 503, headers: { "retry-after": "60" } })
  );
  function Watch(): string {
    const { status, error } = useTaskEvents("t");
    return `${status} ${error instanceof TaskcastHttpError ? error.status : ""}`;
  }
  using page = openPage({ baseUrl: _server.url });
  page.show(h(Watch));
  await until(() => page.text() === "reconnecting 503", "the error is shown");
});
