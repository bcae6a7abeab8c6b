import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { COMMAND, ELSEWHERE, startCli } from "../../testing/servers/cli.ts";
import type { CliServer } from "../../testing/servers/cli.ts";
import { frames, until } from "../../testing/sse/sse.ts";

// Connections of untrusted clients: half requests, idle connections, and more than the limit.

/** Listeners of Deno. Other runtimes have only one, without a name. */
const LISTENERS = ELSEWHERE ? [undefined] : ["deno", "node"];
const NODE = ELSEWHERE ? undefined : "node";

/** Starts a server with these limits, optionally with few file descriptors. */
async function start(
  listener: string | undefined,
  limits: Record<string, number>,
  descriptors?: number,
): Promise<CliServer> {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  await Deno.writeTextFile(file, JSON.stringify({ limits, host: "127.0.0.1" }));
  const args = ["-c", file, ...(listener === undefined ? [] : ["--listener", listener])];
  const limited = ["sh", "-c", `ulimit -n ${descriptors} && exec "$@"`, "sh", ...COMMAND] as const;
  const server = await startCli(args, {}, undefined, descriptors ? limited : COMMAND);
  return {
    ...server,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await Deno.remove(file);
    },
  };
}

/** Connections that send something and then nothing more. */
class Strangers {
  readonly sockets: Socket[] = [];
  readonly #port: number;

  constructor({ url }: CliServer) {
    this.#port = Number(new URL(url).port);
  }

  /** Connects and sends `text` at once. Resolves when it is connected or refused. */
  async open(text: string, from = "127.0.0.1"): Promise<Socket> {
    const socket = connect({ port: this.#port, host: "127.0.0.1", localAddress: from });
    this.sockets.push(socket);
    const settled = Promise.withResolvers<void>();
    socket.on("connect", settled.resolve).on("error", () => settled.resolve());
    socket.on("close", settled.resolve).resume();
    await settled.promise;
    if (text !== "") socket.write(text);
    return socket;
  }

  get stillOpen(): number {
    return this.sockets.filter((socket) => !socket.closed && !socket.destroyed).length;
  }

  [Symbol.dispose](): void {
    for (const socket of this.sockets) socket.destroy();
  }
}

/** Returns true if the server answers a new client. */
async function answers({ url }: CliServer): Promise<boolean> {
  try {
    const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(1_000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

const HALF = "GET /health HTTP/1.1\r\nhost: x\r\nx-a: ";

for (const listener of LISTENERS) {
  Deno.test(`${listener ?? "the only listener"}: clients with half a request do not block others`, async () => {
    await using server = await start(listener, { maxConnections: 20, headersTimeoutMs: 500 });
    await fetch(`${server.url}/tasks`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"id":"t"}',
    }).then((response) => response.body?.cancel());
    const reading = frames(`${server.url}/tasks/t/events`);
    assert.equal((await reading.next()).value!.event, "taskcast.open");
    using strangers = new Strangers(server);
    for (let i = 0; i < 60; i++) await strangers.open(i % 2 === 0 ? HALF : "");
    await until(() => answers(server), "the server answers others");
    await until(() => strangers.stillOpen < 20, "most were closed");
    await until(() => /connections are refused/.test(server.process.err), "the log says so");
    await until(() => answers(server), "the server still answers");
    await fetch(`${server.url}/tasks/t/events`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"type":"n","data":1}',
    }).then((response) => response.body?.cancel());
    assert.equal((await reading.next()).value!.data.data, 1, "the reader was not cut off");
    await reading.return?.(undefined as never);
  });

  Deno.test(`${listener ?? "the only listener"}: running out of descriptors ends neither the process nor listening`, async () => {
    await using server = await start(listener, { maxConnections: 10_000 }, 300);
    {
      using strangers = new Strangers(server);
      for (let i = 0; i < 400; i++) await strangers.open(HALF);
    }
    if (listener === "deno") {
      await until(() => /bound of open files/.test(server.process.err), "the log says why");
    }
    await until(() => answers(server), "the server answers once they are gone");
    server.process.kill("SIGTERM");
    assert.equal(await server.process.ended, 0);
    assert.doesNotMatch(server.process.err, /Uncaught/);
  });

  Deno.test(`${listener ?? "the only listener"}: a body that stops is refused, and a slow one is accepted`, async () => {
    await using server = await start(listener, { bodyTimeoutMs: 400 });
    const { hostname, port } = new URL(server.url);
    for (const length of [100, 100_000]) {
      const client = await Deno.connect({ hostname, port: Number(port) });
      await client.write(new TextEncoder().encode(
        "POST /tasks HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n" +
          `content-length: ${length}\r\n\r\n{"id":`,
      ));
      let answer = "";
      for await (const text of client.readable.pipeThrough(new TextDecoderStream())) {
        answer += text;
        if (answer.includes("REQUEST_TIMEOUT")) break;
      }
      assert.match(answer, /^HTTP\/1\.1 408 /);
      assert.match(answer, /No data of the body arrived for 400 ms/);
    }
    const data = JSON.stringify({ params: { text: "x".repeat(40_000) } });
    const slow = new ReadableStream<Uint8Array>({
      async start(controller) {
        for (let at = 0; at < data.length; at += 8_000) {
          controller.enqueue(new TextEncoder().encode(data.slice(at, at + 8_000)));
          await new Promise((resolve) => setTimeout(resolve, 150));
        }
        controller.close();
      },
    });
    const headers = { "content-type": "application/json" };
    const created = await fetch(`${server.url}/tasks`, { method: "POST", headers, body: slow });
    assert.equal(created.status, 201);
    const { id } = await created.json();
    // A producer may pause between two lines for as long as it likes.
    const thinking = new ReadableStream<Uint8Array>({
      async start(controller) {
        for (const line of [1, 2]) {
          controller.enqueue(new TextEncoder().encode(`{"type":"n","data":${line}}\n`));
          await new Promise((resolve) => setTimeout(resolve, 900));
        }
        controller.close();
      },
    });
    const published = await fetch(`${server.url}/tasks/${id}/events`, {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body: thinking,
    });
    assert.deepEqual(await published.json(), { published: 2, lastIndex: 1 });
  });
}

Deno.test("node:http: the timeout of headers applies on a new connection", async () => {
  await using server = await start(NODE, { headersTimeoutMs: 300 });
  using strangers = new Strangers(server);
  const silent = await strangers.open("");
  const half = await strangers.open(HALF);
  await until(() => silent.closed && half.closed, "both are closed");
});

Deno.test("node:http: the timeout of headers applies on a reused connection, which may be idle", async () => {
  await using server = await start(NODE, { headersTimeoutMs: 300 });
  using strangers = new Strangers(server);
  const first = "GET /health HTTP/1.1\r\nhost: x\r\n\r\n";
  const idle = await strangers.open(first);
  const second = await strangers.open(first);
  await until(() => second.bytesRead > 0 && idle.bytesRead > 0, "the first requests are answered");
  second.write(HALF);
  await until(() => second.closed, "the one with half a request is closed");
  assert.equal(idle.closed, false);
});

Deno.test({
  name: "node:http: one address takes no more than its part",
  async fn() {
    const limits = { maxConnectionsPerAddress: 5, headersTimeoutMs: 60_000 };
    await using server = await start(NODE, limits);
    using strangers = new Strangers(server);
    for (let i = 0; i < 12; i++) await strangers.open(HALF, "127.0.0.7");
    await until(() => strangers.stillOpen === 5, "five are left");
    assert(await answers(server), "another address is served");
  },
});
