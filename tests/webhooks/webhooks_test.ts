import assert from "node:assert/strict";
import { TaskcastServerClient, verifyWebhook } from "@taskcast/server-sdk";
import { createWebhookSender } from "@taskcast/server/webhooks";
import { SignJWT } from "jose";
import { Webhook } from "standardwebhooks";
import { until } from "../../testing/sse/sse.ts";
import { startServer } from "../../testing/servers/test_server.ts";
import { withReceiver } from "../../testing/servers/webhook_receiver.ts";

const SECRET = "a secret of our own";
const STANDARD_SECRET = `whsec_${btoa("twenty-four bytes of key")}`;

function serverWithWebhooks() {
  const sender = createWebhookSender({ allowPrivate: true });
  const server = startServer({ engine: { webhooks: { sender } } });
  return {
    ...server,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      sender.close();
    },
  };
}

Deno.test("deliveries are verified by Standard Webhooks, by the SDK, and by our own header", async () => {
  await withReceiver(() => 200, async (receiver) => {
    await using server = serverWithWebhooks();
    const task = await new TaskcastServerClient({ baseUrl: server.url }).createTask({
      webhooks: [
        { url: `${receiver.url}/raw`, secret: SECRET },
        { url: `${receiver.url}/standard`, secret: STANDARD_SECRET },
        { url: `${receiver.url}/bare`, wrap: false, filter: { types: ["ü.*"] } },
      ],
    });
    await server.call("POST", `/tasks/${task.id}/events`, {
      type: "ü.x y",
      data: { text: "é€😀" },
    });
    await until(() => receiver.received.length === 3, "all have come");
    const of = (path: string) => receiver.received.find((got) => got.path === path)!;

    const { id, type, body } = await verifyWebhook(of("/raw").request(), { secret: ["x", SECRET] });
    assert.equal(type, "ü.x y");
    assert.deepEqual(body.data, { text: "é€😀" });
    assert.equal(id, body.eventId);
    assert.equal(body.rawIndex, 0);
    const raw = of("/raw");
    new Webhook(SECRET, { format: "raw" }).verify(raw.body, raw.headers);
    const key = await crypto.subtle.importKey(
      "raw",
      new TextEncoder().encode(SECRET),
      { name: "HMAC", hash: "SHA-256" },
      false,
      ["sign"],
    );
    const signed = `${raw.headers["x-taskcast-timestamp"]}.${raw.body}`;
    const mac = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(signed));
    assert.equal(
      raw.headers["x-taskcast-signature"],
      `sha256=${new Uint8Array(mac).toHex()}`,
    );

    const standard = of("/standard");
    new Webhook(STANDARD_SECRET).verify(standard.body, standard.headers);
    await verifyWebhook(standard.request(), { secret: STANDARD_SECRET });

    assert.equal(of("/bare").body, '{"text":"é€😀"}');
    assert.equal(of("/bare").headers["webhook-signature"], undefined);

    const wrong: [Request, number?][] = [
      [raw.request({ body: raw.body.replace("é", "e") })],
      [raw.request({ headers: { "webhook-id": "other" } })],
      [of("/bare").request()],
      [standard.request()],
      [raw.request(), Date.now() + 301_000],
    ];
    for (const [request, nowMs] of wrong) {
      await assert.rejects(verifyWebhook(request, { secret: SECRET, nowMs }), {
        name: "WebhookVerificationError",
      });
    }
  });
});

Deno.test("webhooks need their own scope, and their secrets are never shown", async () => {
  const secret = "a secret of more than thirty-two bytes";
  const sender = createWebhookSender();
  await using server = startServer({
    engine: { webhooks: { sender } },
    app: { auth: { mode: "jwt", jwt: { algorithm: "HS256", secret } } },
  });
  const token = async (...scope: string[]) => ({
    authorization: `Bearer ${await new SignJWT({ taskIds: "*", scope })
      .setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(secret))}`,
  });
  const webhooks = [{ url: "https://example.test/h?k=1", secret: "hidden" }];
  const create = { id: "t", webhooks };
  const without = await server.call("POST", "/tasks", create, await token("task:create"));
  assert.equal(without.status, 403);
  assert.match(without.body.error.message, /webhook:create/);
  const scopes = ["task:create", "webhook:create", "event:subscribe"];
  const created = await server.call("POST", "/tasks", create, await token(...scopes));
  assert.equal(created.status, 201);
  assert.equal(created.body.webhooks, undefined);
  const reads: [string, string[], unknown][] = [
    ["/tasks/t", ["event:subscribe"], undefined],
    ["/tasks/t", ["event:subscribe", "task:manage"], [{ url: webhooks[0]!.url }]],
    ["/tasks/t", ["*"], [{ url: webhooks[0]!.url }]],
  ];
  for (const [path, scope, expected] of reads) {
    const { body } = await server.call("GET", path, undefined, await token(...scope));
    assert.deepEqual(body.webhooks, expected);
  }
  for (const path of ["/tasks", "/tasks/t", "/tasks/t/webhooks", "/webhooks/undelivered"]) {
    const { body, status } = await server.call("GET", path, undefined, await token("*"));
    assert.equal(status, 200);
    assert(!JSON.stringify(body).includes("hidden"), path);
  }
  for (const path of ["/tasks/t/webhooks", "/webhooks/undelivered"]) {
    const { status } = await server.call("GET", path, undefined, await token("event:subscribe"));
    assert.equal(status, 403, path);
  }
  await server.engine.close();
  sender.close();
});

Deno.test("abandoned deliveries are listed, and sent again on request", async () => {
  let status = 500;
  await withReceiver(() => status, async (receiver) => {
    await using server = serverWithWebhooks();
    const retry = { retries: 1, initialDelayMs: 10 };
    await server.call("POST", "/tasks", { id: "t", webhooks: [{ url: receiver.url, retry }] });
    for (const data of [0, 1, 2]) {
      await server.call("POST", "/tasks/t/events", { type: "n", data });
    }
    const failed = async () =>
      (await server.call("GET", "/tasks/t/webhooks")).body[0].failed[0]?.count === 3;
    await until(failed, "all deliveries are abandoned");
    const listed = await server.call("GET", "/webhooks/undelivered?limit=1");
    assert.equal(listed.body.tasks[0].taskId, "t");
    const next = await server.call("GET", `/webhooks/undelivered?cursor=${listed.body.nextCursor}`);
    assert.deepEqual(next.body, { tasks: [] });
    status = 204;
    receiver.received.length = 0;
    const answer = await server.call("POST", "/tasks/t/webhooks/retry", { hook: "0" });
    assert.deepEqual([answer.status, answer.body], [202, { retrying: 3 }]);
    await until(() => receiver.received.length === 3, "they have come");
    assert.deepEqual(receiver.received.map(({ body }) => JSON.parse(body).data), [0, 1, 2]);
    const isClear = async () =>
      (await server.call("GET", "/webhooks/undelivered")).body.tasks.length === 0;
    await until(isClear, "nothing is listed any more");
  });
});

Deno.test("private addresses, redirects and hanging receivers get no delivery and cause no failure", async () => {
  await withReceiver(() => 200, async (receiver) => {
    const sender = createWebhookSender();
    await using server = startServer({ engine: { webhooks: { sender } } });
    const { status, body } = await server.call("POST", "/tasks", {
      webhooks: [{ url: receiver.url }],
    });
    assert.deepEqual([status, body.error.code], [400, "INVALID_INPUT"]);
    assert.match(body.error.message, /webhooks\[0\]\.url.*private address/);
    assert.equal((await server.engine.listTasks()).tasks.length, 0, "nothing was changed");
    await server.engine.close();
    sender.close();
    assert.equal(receiver.received.length, 0);
  });
});
