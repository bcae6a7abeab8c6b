import assert from "node:assert/strict";
import { TaskcastClient } from "@taskcast/client";
import { assertTaskId, TaskcastError, taskPath } from "@taskcast/core/protocol";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import { startAnyServer } from "../../testing/servers/any_server.ts";

// An id is part of addresses, of keys and perhaps of file names. Texts with a meaning there are not
// ids.

const NO_IDS = [
  "",
  ".",
  "..",
  "...",
  ".".repeat(128),
  "a/b",
  "../events",
  "%2e%2e",
  "a b",
  "é",
  "\0",
];
const IDS = ["a", ".a", "a.", "..a", "a..", "-", "~", ":", "a:b", "_", "x".repeat(128)];

Deno.test("every valid task id keeps its own address in every URL parser", () => {
  for (const id of IDS) {
    assertTaskId(id);
    const { pathname } = new URL(`http://host/base${taskPath(id)}/events`);
    assert.equal(decodeURIComponent(pathname), `/base/tasks/${id}/events`);
  }
  for (const id of [...NO_IDS, undefined, null, 1, {}] as string[]) {
    assert.throws(() => taskPath(id), { code: "INVALID_INPUT" }, `${id}`);
  }
});

Deno.test("tasks with ids that have no address are not created", async () => {
  await using server = await startAnyServer();
  for (const id of NO_IDS) {
    const { status, body } = await server.call("POST", "/tasks", { id });
    assert.deepEqual([status, body.error.details.path], [400, "id"], id);
  }
  assert.deepEqual((await server.call("GET", "/tasks")).body.tasks, []);
  for (const id of IDS) {
    assert.equal((await server.call("POST", "/tasks", { id })).status, 201);
    assert.equal((await server.call("GET", taskPath(id))).body.id, id);
    assert.equal((await server.call("DELETE", taskPath(id))).status, 204);
  }
});

Deno.test("clients send no request for an invalid id, whose address may be that of all tasks", async () => {
  const asked: string[] = [];
  const options = {
    baseUrl: "http://localhost:1",
    fetch: (input: RequestInfo | URL) => {
      asked.push(String(input));
      return Promise.reject(new Error("was asked"));
    },
  };
  const client = new TaskcastClient(options);
  const server = new TaskcastServerClient(options);
  const event = { type: "a", data: 1 };
  const calls: Record<string, (id: string) => Promise<unknown>> = {
    subscribe: (id) => client.subscribe(id),
    "subscribe with onError": (id) =>
      new Promise((_, reject) => client.subscribe(id, { onError: reject })),
    stream: (id) => Array.fromAsync(client.stream(id)),
    "shared stream": (id) =>
      Array.fromAsync(new TaskcastClient({ ...options, share: true }).stream(id)),
    getTask: (id) => client.getTask(id),
    history: (id) => Array.fromAsync(client.history(id)),
    "server.getTask": (id) => server.getTask(id),
    publishEvent: (id) => server.publishEvent(id, event),
    publishEvents: (id) =>
      server.publishEvents(id, [{ ...event, producerId: "p", producerSeq: 0 }]),
    openPublisher: async (id) => await server.openPublisher(id).close(),
    transitionTask: (id) => server.transitionTask(id, "running"),
    resolve: (id) => server.resolve(id, 1),
    getRequest: (id) => server.getRequest(id),
    deleteTask: (id) => server.deleteTask(id),
    createTicket: (id) => server.createTicket(id),
    getHistory: (id) => server.getHistory(id),
    "server.history": (id) => Array.fromAsync(server.history(id)),
  };
  for (const [name, call] of Object.entries(calls)) {
    for (const id of NO_IDS) {
      await assert.rejects(
        () => call(id),
        (error) => error instanceof TaskcastError && error.code === "INVALID_INPUT",
        `${name} ${id}`,
      );
    }
  }
  assert.deepEqual(asked, []);
});
