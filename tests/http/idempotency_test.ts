import assert from "node:assert/strict";
import { SignJWT } from "jose";
import { startAnyServer } from "../../testing/servers/any_server.ts";

// Requests to create a task that are safe to repeat.

const secret = "a secret of more than thirty-two bytes";

async function bearer(claims: Record<string, unknown>): Promise<Record<string, string>> {
  const token = await new SignJWT({ taskIds: "*", scope: ["task:create"], ...claims })
    .setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(secret));
  return { authorization: `Bearer ${token}` };
}

Deno.test("Idempotency-Key: a repeated request gives the same task and says so", async () => {
  await using server = await startAnyServer();
  const send = (body: unknown, key = "order-1") =>
    server.call("POST", "/tasks", body, { "idempotency-key": key });
  const first = await send({ type: "a" });
  assert.deepEqual([first.status, first.headers.get("idempotency-replayed")], [201, null]);
  const again = await send({ type: "a" });
  assert.deepEqual([again.status, again.headers.get("idempotency-replayed")], [200, "true"]);
  assert.equal(again.body.id, first.body.id);
  const other = await send({ type: "b" });
  assert.deepEqual([other.status, other.body.error.code], [409, "IDEMPOTENCY_CONFLICT"]);
  assert.equal((await send({ type: "b" }, "order-2")).status, 201);
  for (const [body, key] of [[{ id: "mine" }, "k"], [{}, ""], [{}, "k".repeat(256)]] as const) {
    assert.equal((await send(body, key)).status, 400, key);
  }
});

Deno.test("keys of different subjects are apart, and a token for certain tasks has none", async () => {
  await using server = await startAnyServer({ app: { auth: { mode: "jwt", jwt: { secret } } } });
  const send = async (claims: Record<string, unknown>) =>
    await server.call("POST", "/tasks", {}, { ...await bearer(claims), "idempotency-key": "k" });
  const [ann, bob] = [await send({ sub: "ann" }), await send({ sub: "bob" })];
  assert.deepEqual([ann.status, bob.status], [201, 201]);
  assert.equal((await send({ sub: "ann" })).body.id, ann.body.id);
  assert.equal((await send({ sub: "ann", taskIds: ["mine"] })).status, 403);
});

Deno.test("ifExists=return gives a task that exists, unless the caller may not see it", async () => {
  await using server = await startAnyServer({ app: { auth: { mode: "jwt", jwt: { secret } } } });
  const rules = [{ match: { scope: ["event:subscribe"] }, require: { sub: ["ann"] } }];
  const input = { id: "mine", type: "a", authConfig: { rules } };
  const send = async (sub: string, query = "?ifExists=return") =>
    await server.call("POST", `/tasks${query}`, input, await bearer({ sub, taskIds: ["mine"] }));
  assert.equal((await send("ann")).status, 201);
  const again = await send("ann");
  assert.deepEqual([again.status, again.body.type], [200, "a"]);
  const stranger = await send("bob");
  assert.deepEqual([stranger.status, stranger.body.error.code], [409, "TASK_EXISTS"]);
  assert.equal((await send("ann", "")).status, 409);
  assert.equal((await send("ann", "?ifExists=fail")).status, 400);
});
