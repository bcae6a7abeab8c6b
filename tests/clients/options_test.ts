import assert from "node:assert/strict";
import { TaskcastClient } from "@taskcast/client";
import { HttpClient, UnreachableError } from "@taskcast/client/http";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import { TaskcastChatTransport } from "@taskcast/ai/transport";
import { doneFrame, scriptedServer, sse } from "../../testing/servers/scripted_server.ts";

// Invalid options are refused at once, and do not look like an outage.

const baseUrl = "http://localhost:1";

/** Values that HTTP headers cannot carry. */
const UNSENDABLE = ["hush\nhush", "hush\r\nx-evil: 1", "hush\0", "hush 日本"];

/** Checks that an error names the problem and contains no secret. */
function tellsNoSecret(expected: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert(error instanceof TypeError);
    assert(!(error instanceof UnreachableError));
    assert.match(error.message, expected);
    assert(!error.message.includes("hush"), error.message);
    assert.equal(error.cause, undefined);
    return true;
  };
}

Deno.test("a token, a key and headers that cannot be sent are refused at once, and never shown", () => {
  for (const value of UNSENDABLE) {
    for (const Client of [HttpClient, TaskcastClient, TaskcastServerClient]) {
      assert.throws(
        () => new Client({ baseUrl, token: value }),
        tellsNoSecret(/"authorization"/),
      );
      assert.throws(
        () => new Client({ baseUrl, headers: { "x-own": value } }),
        tellsNoSecret(/"x-own"/),
      );
    }
    assert.throws(
      () => new TaskcastServerClient({ baseUrl, serviceKey: value }),
      tellsNoSecret(/"x-taskcast-service-key"/),
    );
  }
  for (const name of ["", "a b", "ü", "a:"]) {
    const headers = { [name]: "1" };
    assert.throws(() => new TaskcastClient({ baseUrl, headers }), tellsNoSecret(/header/));
  }
});

Deno.test("a token function that returns an invalid token is reported, without the token", async () => {
  await using server = scriptedServer(sse(doneFrame("c1")));
  let given = 0;
  const token = () => given++ === 0 ? UNSENDABLE[0]! : "fine";
  const told: unknown[] = [];
  const connection = { minDelayMs: 1, maxDelayMs: 1 };
  await new TaskcastClient({ baseUrl: server.url, token, connection }).subscribe("t", {
    onError: (error) => told.push(error),
  });
  assert.equal(told.length, 1);
  assert(tellsNoSecret(/"authorization"/)(told[0]));
  assert.equal(server.requests.length, 1, "nothing was sent with it");
  assert.equal(server.requests[0]!.headers.get("authorization"), "Bearer fine");
});

Deno.test("headers and a token are sent as given, without surrounding white space", async () => {
  await using server = scriptedServer(() => Response.json({ id: "t" }));
  const headers = { "X-Own": " 1 ", Authorization: "of the headers" };
  await new TaskcastClient({ baseUrl: server.url, headers }).getTask("t");
  await new TaskcastClient({ baseUrl: server.url, headers, token: "of the token\n" }).getTask("t");
  const sent = server.requests.map(({ headers }) => [
    headers.get("x-own"),
    headers.get("authorization"),
  ]);
  assert.deepEqual(sent, [["1", "of the headers"], ["1", "Bearer of the token"]]);
});

Deno.test("options that must be lists are checked before any request", async () => {
  await using server = scriptedServer(sse(doneFrame("c1")));
  const reader = new TaskcastClient({ baseUrl: server.url });
  const producer = new TaskcastServerClient({ baseUrl: server.url });
  for (const wrong of ["a", "", new Set(["a"]), { a: true }, 7, null]) {
    for (const name of ["types", "levels"]) {
      // deno-lint-ignore no-explicit-any -- As from callers without types.
      const filter: any = { [name]: wrong };
      const isTold = { name: "TypeError", message: `filter.${name} must be a list` };
      const fatal: boolean[] = [];
      await assert.rejects(reader.subscribe("t", { filter }), isTold);
      await reader.subscribe("t", { filter, onError: (_, info) => fatal.push(info.fatal) });
      assert.deepEqual(fatal, [true]);
      await assert.rejects(Array.fromAsync(reader.stream("t", { filter })), isTold);
      await assert.rejects(Array.fromAsync(reader.history("t", { filter })), isTold);
      await assert.rejects(producer.getHistory("t", { filter }), isTold);
      await assert.rejects(Array.fromAsync(producer.history("t", { filter })), isTold);
    }
    for (const name of ["types", "status"]) {
      const isTold = { name: "TypeError", message: `${name} must be a list` };
      await assert.rejects(producer.listTasks({ [name]: wrong }), isTold);
      await assert.rejects(Array.fromAsync(producer.tasks({ [name]: wrong })), isTold);
    }
  }
  assert.equal(server.requests.length, 0);
});

Deno.test("limits must be numbers from 1, not texts or other values", () => {
  // deno-lint-ignore no-explicit-any -- As from callers without types.
  const wrong: any[] = ["500", 0.5, 0, -1, NaN, null, true, 5n, [5], {}];
  const producer = new TaskcastServerClient({ baseUrl });
  for (const value of wrong) {
    for (const name of ["minDelayMs", "maxDelayMs", "maxRetryAfterMs"]) {
      const waits = { [name]: value };
      const isTold = { name: "RangeError", message: new RegExp(`^${name} is .*from 1$`) };
      assert.throws(() => new TaskcastClient({ baseUrl, connection: waits }), isTold);
      assert.throws(() => new TaskcastServerClient({ baseUrl, retry: waits }), isTold);
      assert.throws(() => new TaskcastChatTransport({ retry: waits }), isTold);
    }
    for (const name of ["idleTimeoutMs", "maxBufferedChars", "takeOverMs"]) {
      const connection = { [name]: value };
      assert.throws(() => new TaskcastClient({ baseUrl, connection }), RangeError);
    }
    for (const name of ["maxBufferedBytes", "rotateBytes", "rotateMs"]) {
      assert.throws(() => producer.openPublisher("t", { [name]: value }), RangeError);
    }
    assert.throws(() => new TaskcastServerClient({ baseUrl, timeoutMs: value }), RangeError);
    assert.throws(() => new TaskcastChatTransport({ idleTimeoutMs: value }), RangeError);
    if (value === 0) continue; // The default is not to linger.
    assert.throws(() => producer.openPublisher("t", { lingerMs: value }), RangeError);
  }
});
