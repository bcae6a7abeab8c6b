import assert from "node:assert/strict";
import { allFrames, until } from "../../testing/sse/sse.ts";
import { startAnyServer } from "../../testing/servers/any_server.ts";

Deno.test("of 50 concurrent ends exactly one succeeds, with one status event", async () => {
  await using server = await startAnyServer();
  const { id } = await server.engine.createTask();
  const ends = ["completed", "failed", "cancelled", "timeout"] as const;
  const answers = await Promise.all(
    Array.from(
      { length: 50 },
      (_, i) => server.call("PATCH", `/tasks/${id}/status`, { status: ends[i % 4], result: { i } }),
    ),
  );
  const won = answers.filter((answer) => answer.status === 200);
  assert.equal(won.length, 1);
  for (const { status, body } of answers) {
    if (status === 200) continue;
    assert.equal(status, 409);
    assert.equal(body.error.code, "INVALID_TRANSITION");
  }
  const { body: history } = await server.call("GET", `/tasks/${id}/events/history`);
  assert.equal(history.length, 1);
  assert.equal(history[0].data.status, won[0]!.body.status);
  const { body: task } = await server.call("GET", `/tasks/${id}`);
  assert.deepEqual(task.result, won[0]!.body.result);
});

Deno.test("an expired ttl causes exactly one timeout, and its readers get the end", async () => {
  await using server = await startAnyServer();
  const { body: task } = await server.call("POST", "/tasks", { ttl: 0.2 });
  const seen = await allFrames(`${server.url}/tasks/${task.id}/events`);
  const events = seen.filter((frame) => frame.event === "taskcast.event");
  assert.deepEqual(events.map(({ data }) => data.data.status), ["timeout"]);
  assert.deepEqual(seen.at(-1)!.data, { reason: "timeout" });
});

Deno.test("a blocked task resumes by itself or by an answer", async () => {
  await using server = await startAnyServer();
  const { id } = await server.engine.createTask();
  await server.engine.transitionTask(id, "running");
  await server.call("PATCH", `/tasks/${id}/status`, { status: "blocked", resumeAfterMs: 50 });
  await until(async () => (await server.engine.getTask(id))!.status === "running", "it runs");

  const blockedRequest = { type: "approval", data: { amount: 5 } };
  await server.call("PATCH", `/tasks/${id}/status`, { status: "blocked", blockedRequest });
  const { body: request } = await server.call("GET", `/tasks/${id}/request`);
  assert.deepEqual(request, blockedRequest);
  const { status, body } = await server.call("POST", `/tasks/${id}/resolve`, { data: "yes" });
  assert.equal(status, 200);
  assert.equal(body.status, "running");
  assert.equal((await server.call("POST", `/tasks/${id}/resolve`, { data: "yes" })).status, 409);
  assert.equal((await server.call("GET", `/tasks/${id}/request`)).status, 404);
});

Deno.test("deleting notifies readers, and an old cursor does not apply to the new task", async () => {
  await using server = await startAnyServer();
  await server.call("POST", "/tasks", { id: "t" });
  await server.engine.publishEvent("t", { type: "n", data: 1 });
  const url = `${server.url}/tasks/t/events`;
  const reading = allFrames(url);
  await until(async () => (await server.reading()).tasks === 1, "the reader is live");
  assert.equal((await server.call("DELETE", "/tasks/t")).status, 204);
  const seen = await reading;
  assert.deepEqual(seen.at(-1)!.data, { reason: "deleted" });
  assert.equal((await server.call("GET", "/tasks/t")).status, 404);

  await server.call("POST", "/tasks", { id: "t" });
  await server.engine.publishEvent("t", { type: "n", data: 2 });
  const refused = await server.call("GET", "/tasks/t/events", undefined, {
    "last-event-id": seen.find((frame) => frame.event === "taskcast.event")!.id!,
  });
  assert.equal(refused.status, 400);
  assert.equal(refused.body.error.code, "INVALID_CURSOR");
});
