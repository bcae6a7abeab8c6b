import assert from "node:assert/strict";
import http from "node:http";
import type { AddressInfo } from "node:net";
import type { WebhookRequest } from "@taskcast/core";
import type { WebhookSenderOptions } from "./sender.ts";
import { createWebhookSender } from "./sender.ts";

const request = (url: string, more: Partial<WebhookRequest> = {}): WebhookRequest => ({
  url,
  headers: { "content-type": "application/json", "webhook-id": "1" },
  body: '{"text":"é"}',
  timeoutMs: 1_000,
  signal: new AbortController().signal,
  ...more,
});

async function withReceiver(
  handler: (request: Request) => Response | Promise<Response>,
  use: (url: string) => Promise<void>,
): Promise<void> {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, handler);
  try {
    await use(`http://127.0.0.1:${server.addr.port}/hook`);
  } finally {
    await server.shutdown();
  }
}

async function withSender(
  options: WebhookSenderOptions,
  use: (sender: ReturnType<typeof createWebhookSender>) => Promise<void>,
): Promise<void> {
  const sender = createWebhookSender(options);
  try {
    await use(sender);
  } finally {
    sender.close();
  }
}

Deno.test("a webhook is a POST with its headers and body, and the status of the response is reported", async () => {
  const seen: [string, string | null, string][] = [];
  await withReceiver(async (request) => {
    seen.push([request.method, request.headers.get("webhook-id"), await request.text()]);
    return new Response("thanks", { status: 202 });
  }, async (url) => {
    await withSender({ allowPrivate: true }, async (sender) => {
      assert.deepEqual(await sender.send(request(url)), { status: 202 });
      assert.deepEqual(await sender.send(request(url)), { status: 202 });
    });
  });
  assert.deepEqual(seen, [["POST", "1", '{"text":"é"}'], ["POST", "1", '{"text":"é"}']]);
});

Deno.test("redirects are not followed, and the receiver's Retry-After is returned", async () => {
  let elsewhere = 0;
  await withReceiver((request) => {
    if (new URL(request.url).pathname === "/elsewhere") elsewhere++;
    return new Response(null, {
      status: 307,
      headers: { location: "/elsewhere", "retry-after": "7" },
    });
  }, async (url) => {
    await withSender({ allowPrivate: true }, async (sender) => {
      assert.deepEqual(await sender.send(request(url)), { status: 307, retryAfterMs: 7_000 });
    });
  });
  assert.equal(elsewhere, 0);
});

Deno.test("a receiver that does not answer, or never ends its answer, is abandoned at the timeout", async () => {
  const hang = Promise.withResolvers<Response>();
  await withReceiver((request) => {
    if (new URL(request.url).search === "?hang") return hang.promise;
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(16 * 1024)),
    });
    return new Response(endless);
  }, async (url) => {
    await withSender({ allowPrivate: true }, async (sender) => {
      await assert.rejects(sender.send(request(`${url}?hang`, { timeoutMs: 100 })), {
        message: "no answer within 100 ms",
      });
      assert.deepEqual(await sender.send(request(url)), { status: 200 });
      const controller = new AbortController();
      const cut = sender.send(request(`${url}?hang`, { signal: controller.signal }));
      controller.abort();
      await assert.rejects(cut, { message: "the server stops" });
    });
    hang.resolve(new Response());
  });
});

Deno.test("10 000 receivers all get their deliveries, even if most keep their connections open", async () => {
  let open = 0;
  let mostOpen = 0;
  const server = http.createServer((_request, response) => response.end());
  server.keepAliveTimeout = 0; // Connections stay until the sender closes them.
  server.on("connection", (socket) => {
    mostOpen = Math.max(mostOpen, ++open);
    socket.on("close", () => open--);
  });
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  const { port } = server.address() as AddressInfo;
  // Every address of 127.0.0.0/8 reaches this server and is an origin of its own.
  const origins = Array.from(
    { length: 10_000 },
    (_, i) => `http://127.1.${Math.floor(i / 250)}.${1 + i % 250}:${port}/`,
  );
  assert.equal(new Set(origins).size, origins.length);
  await withSender({ allowPrivate: true, maxSockets: 32 }, async (sender) => {
    let next = 0;
    const statuses: number[] = [];
    const tell = async () => {
      statuses.push((await sender.send(request(origins[next++]!))).status);
    };
    // Sequential requests: no finishing request frees a connection for the next one.
    for (let i = 0; i < 100; i++) await tell();
    await Promise.all(Array.from({ length: 20 }, async () => {
      while (next < origins.length) await tell();
    }));
    assert.deepEqual(statuses, origins.map(() => 200));
  });
  // 20 in use besides the kept ones, and the server notices closed ones a moment later.
  assert(mostOpen < 500, `${mostOpen} connections at a time`);
  await new Promise((resolve) => server.close(resolve));
  assert.equal(open, 0, "nothing stays open once the sender is closed");
});

Deno.test("the status of an answer counts even if its body never ends", async () => {
  await withReceiver(() => {
    let timer: ReturnType<typeof setInterval> | undefined;
    const drip = new ReadableStream<Uint8Array>({
      start: (controller) => {
        timer = setInterval(() => controller.enqueue(new Uint8Array(1)), 10);
      },
      cancel: () => clearInterval(timer),
    });
    return new Response(drip, { status: 201 });
  }, async (url) => {
    await withSender({ allowPrivate: true }, async (sender) => {
      assert.deepEqual(await sender.send(request(url, { timeoutMs: 300 })), { status: 201 });
    });
  });
});

Deno.test("private addresses are refused, however they are written or found", async () => {
  let asked = 0;
  await withReceiver(() => {
    asked++;
    return new Response();
  }, async (url) => {
    const { port } = new URL(url);
    await withSender({}, async (sender) => {
      const hosts = ["127.0.0.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]"];
      for (const host of [...hosts, "localhost", "LOCALHOST.", "a.localhost", "db.internal"]) {
        const address = `http://${host}:${port}/`;
        assert.match(sender.refusal(address)!, /leads to a private address/, host);
        await assert.rejects(sender.send(request(address)), /leads to a private address/, host);
      }
      assert.equal(sender.refusal("https://example.com/"), undefined);
    });
    await withSender({ allowPrivate: ["127.0.0.1"] }, async (sender) => {
      assert.deepEqual(await sender.send(request(url)), { status: 200 });
      assert.match(sender.refusal(`http://localhost:${port}/`)!, /private/);
    });
  });
  assert.equal(asked, 1);
});

Deno.test("an unreachable dependency is reported without its address", async () => {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr;
  listener.close();
  await withSender({ allowPrivate: true }, async (sender) => {
    await assert.rejects(sender.send(request(`http://127.0.0.1:${port}/secret`)), {
      message: "nothing listens there",
    });
    await assert.rejects(sender.send(request("http://no.such.host.invalid/secret")), {
      message: "there is no such host",
    });
  });
});
