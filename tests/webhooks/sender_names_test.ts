import assert from "node:assert/strict";
import { createWebhookSender } from "@taskcast/server/webhooks";

Deno.test("webhooks: a name that resolves to a private address only when connecting is refused", async () => {
  let asked = 0;
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => {
    asked++;
    return new Response();
  });
  const sender = createWebhookSender();
  // The name of this machine, which resolves to itself, or to nothing.
  const url = `http://${Deno.hostname()}:${server.addr.port}/`;
  if (sender.refusal(url) === undefined) {
    const { signal } = new AbortController();
    await assert.rejects(
      sender.send({ url, headers: {}, body: "{}", timeoutMs: 1_000, signal }),
      /leads to a private address|no such host/,
    );
  }
  sender.close();
  await server.shutdown();
  assert.equal(asked, 0);
});
