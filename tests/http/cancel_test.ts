import assert from "node:assert/strict";
import { startAnyServer } from "../../testing/servers/any_server.ts";

// Requests to stop a task, over HTTP.

Deno.test("a request to stop is answered by the producer, with a receipt", async () => {
  await using server = await startAnyServer();
  const { body: { id } } = await server.call("POST", "/tasks", { type: "job" });
  await server.call("PATCH", `/tasks/${id}/status`, { status: "running" });
  const early = await server.call("POST", `/tasks/${id}/cancel/seen`);
  assert.deepEqual([early.status, early.body.error.code], [409, "INVALID_TRANSITION"]);

  const asked = await server.call("POST", `/tasks/${id}/cancel`, {
    reason: "user pressed stop",
    graceMs: 60_000,
  });
  assert.equal(asked.status, 202);
  const { cancel } = asked.body;
  assert.equal(cancel.deadlineAt - cancel.requestedAt, 60_000);
  const again = await server.call("POST", `/tasks/${id}/cancel`, { graceMs: 0 });
  assert.deepEqual([again.status, again.body.cancel], [202, cancel]);

  const seen = await server.call("POST", `/tasks/${id}/cancel/seen`);
  assert(seen.body.cancel.seenAt >= cancel.requestedAt);
  assert.equal(
    (await server.call("POST", `/tasks/${id}/events`, { type: "usage", data: 1 })).status,
    201,
  );
  await server.call("PATCH", `/tasks/${id}/status`, { status: "cancelled", result: { part: 1 } });
  const ended = await server.call("POST", `/tasks/${id}/cancel`);
  assert.deepEqual([ended.status, ended.body.status, ended.body.result], [200, "cancelled", {
    part: 1,
  }]);
});

Deno.test("a request without grace cancels at once, and other ends are no cancellations", async () => {
  await using server = await startAnyServer();
  const { body: { id } } = await server.call("POST", "/tasks", {});
  await server.call("PATCH", `/tasks/${id}/status`, { status: "running" });
  const { status, body } = await server.call("POST", `/tasks/${id}/cancel`, { graceMs: 0 });
  assert.deepEqual([status, body.status], [200, "cancelled"]);
  const { body: done } = await server.call("POST", "/tasks", {});
  await server.call("PATCH", `/tasks/${done.id}/status`, { status: "completed" });
  const refused = await server.call("POST", `/tasks/${done.id}/cancel`);
  assert.deepEqual([refused.status, refused.body.error.code], [409, "TASK_TERMINAL"]);
});

Deno.test("requests to stop that are wrong change nothing", async () => {
  await using server = await startAnyServer();
  const { body: { id } } = await server.call("POST", "/tasks", {});
  for (
    const wrong of [{ by: "me" }, { graceMs: -1 }, { graceMs: 600_001 }, { reason: "" }, {
      grace: 1,
    }]
  ) {
    const { status } = await server.call("POST", `/tasks/${id}/cancel`, wrong);
    assert.equal(status, 400, JSON.stringify(wrong));
  }
  assert.equal((await server.call("GET", `/tasks/${id}`)).body.cancel, undefined);
  assert.equal((await server.call("POST", "/tasks/none/cancel")).status, 404);
});
