import assert from "node:assert/strict";
import { startAnyServer } from "../../testing/servers/any_server.ts";
import { startServer } from "../../testing/servers/test_server.ts";

const JSON_TYPE = { "content-type": "application/json" };

Deno.test("bad input gets the right status and a helpful message, and changes nothing", async () => {
  await using server = await startAnyServer();
  await server.call("POST", "/tasks", { id: "t" });
  await server.call("POST", "/tasks", { id: "ended" });
  await server.call("PATCH", "/tasks/ended/status", { status: "completed" });
  await server.engine.publishEvent("t", {
    type: "a",
    data: { delta: "x" },
    seriesId: "s",
    seriesMode: "accumulate",
  });
  const state = async () => [
    (await server.call("GET", "/tasks")).body,
    (await server.call("GET", "/tasks/t/events/history")).body,
    (await server.call("GET", "/tasks/ended/events/history")).body,
  ];
  const before = await state();
  const deep = "[".repeat(80) + "]".repeat(80);
  const big = JSON.stringify({ type: "a", data: "x".repeat(1024 * 1024) });
  const event = (fields: object) => ({ type: "a", data: 1, ...fields });

  const cases: [
    method: string,
    path: string,
    body: unknown,
    status: number,
    code: string,
    message: RegExp,
    headers?: Record<string, string>,
  ][] = [
    ["POST", "/tasks", "{nope", 400, "INVALID_INPUT", /not valid JSON/, JSON_TYPE],
    ["POST", "/tasks", "a=b", 415, "UNSUPPORTED_MEDIA_TYPE", /application\/json/, {
      "content-type": "application/x-www-form-urlencoded",
    }],
    ["POST", "/tasks", [], 400, "INVALID_INPUT", /body/],
    ["POST", "/tasks", { id: "a b" }, 400, "INVALID_INPUT", /"id"/],
    ["POST", "/tasks", { id: "x".repeat(129) }, 400, "INVALID_INPUT", /"id"/],
    ["POST", "/tasks", { id: "t" }, 409, "TASK_EXISTS", /exists/],
    ["POST", "/tasks", { ttl: -1 }, 400, "INVALID_INPUT", /"ttl"/],
    ["POST", "/tasks", { ttl: "5" }, 400, "INVALID_INPUT", /"ttl"/],
    ["POST", "/tasks", { params: [] }, 400, "INVALID_INPUT", /"params"/],
    ["POST", "/tasks", { priority: 10 }, 400, "INVALID_INPUT", /"priority"/],
    ["POST", "/tasks", { priority: 1.5 }, 400, "INVALID_INPUT", /"priority"/],
    ["POST", "/tasks", { priority: "5" }, 400, "INVALID_INPUT", /"priority"/],
    ["POST", "/tasks", { tags: [1] }, 400, "INVALID_INPUT", /"tags\[0\]"/],
    ["POST", "/tasks", { tpye: "x" }, 400, "INVALID_INPUT", /"tpye" is not known/],
    ["POST", "/tasks", { webhooks: [{ url: "x" }] }, 400, "INVALID_INPUT", /webhooks/],
    ["POST", "/tasks/t/webhooks/retry", { hook: "0" }, 404, "WEBHOOK_NOT_FOUND", /no webhook "0"/],
    ["POST", "/tasks/t/webhooks/retry", {}, 400, "INVALID_INPUT", /hook/],
    ["GET", "/webhooks/undelivered?cursor=1.%00", undefined, 400, "INVALID_INPUT", /nextCursor/],
    ["GET", "/webhooks/undelivered?cursor=1.a%20b", undefined, 400, "INVALID_INPUT", /nextCursor/],
    ["GET", "/tasks?cursor=1.%00", undefined, 400, "INVALID_INPUT", /cursor/],
    ["GET", "/tasks?tag=%00", undefined, 400, "INVALID_INPUT", /tag/],
    ["GET", "/tasks?type=%00", undefined, 400, "INVALID_INPUT", /type/],
    ["GET", "/tasks/t/events?since.id=%00", undefined, 400, "INVALID_INPUT", /since/],
    ["GET", "/tasks/t/events/history?since.id=%00", undefined, 400, "INVALID_INPUT", /since/],
    ["GET", "/webhooks/undelivered?cursor=x", undefined, 400, "INVALID_INPUT", /nextCursor/],
    ["POST", "/tasks", { params: { a: JSON.parse(deep) } }, 400, "INVALID_INPUT", /nested/],
    ["GET", "/tasks/none", undefined, 404, "TASK_NOT_FOUND", /"none"/],
    ["GET", "/tasks/a%20b", undefined, 400, "INVALID_INPUT", /"id"/],
    ["GET", "/tasks?limit=0", undefined, 400, "INVALID_INPUT", /"limit"/],
    ["GET", "/tasks?status=done", undefined, 400, "INVALID_INPUT", /"status/],
    ["GET", "/tasks?cursor=zzz", undefined, 400, "INVALID_CURSOR", /cursor/],
    ["PATCH", "/tasks/t/status", { status: "done" }, 400, "INVALID_INPUT", /"status"/],
    ["PATCH", "/tasks/t/status", { status: "pending" }, 409, "INVALID_TRANSITION", /"pending"/],
    [
      "PATCH",
      "/tasks/t/status",
      { status: "running", resumeAfterMs: 1 },
      400,
      "INVALID_INPUT",
      /blocked/,
    ],
    ["PATCH", "/tasks/ended/status", { status: "failed" }, 409, "INVALID_TRANSITION", /has ended/],
    ["PATCH", "/tasks/none/status", { status: "running" }, 404, "TASK_NOT_FOUND", /none/],
    ["DELETE", "/tasks/none", undefined, 404, "TASK_NOT_FOUND", /none/],
    ["POST", "/tasks/t/resolve", { data: 1 }, 409, "INVALID_TRANSITION", /not blocked/],
    ["POST", "/tasks/t/resolve", {}, 400, "INVALID_INPUT", /"data"/],
    ["POST", "/tasks/none/events", event({}), 404, "TASK_NOT_FOUND", /none/],
    ["POST", "/tasks/ended/events", event({}), 409, "TASK_TERMINAL", /"completed"/],
    ["POST", "/tasks/t/events", { data: 1 }, 400, "INVALID_INPUT", /"type"/],
    ["POST", "/tasks/t/events", { type: "a" }, 400, "INVALID_INPUT", /"data"/],
    ["POST", "/tasks/t/events", event({ type: "" }), 400, "INVALID_INPUT", /"type"/],
    ["POST", "/tasks/t/events", event({ type: "taskcast:status" }), 400, "INVALID_INPUT", /server/],
    ["POST", "/tasks/t/events", event({ type: "x".repeat(257) }), 400, "INVALID_INPUT", /"type"/],
    ["POST", "/tasks/t/events", event({ level: "loud" }), 400, "INVALID_INPUT", /"level"/],
    ["POST", "/tasks/t/events", event({ seriesMode: "latest" }), 400, "INVALID_INPUT", /seriesId/],
    [
      "POST",
      "/tasks/t/events",
      event({ seriesId: "s", seriesMode: "latest" }),
      400,
      "SERIES_CONFLICT",
      /accumulate/,
    ],
    [
      "POST",
      "/tasks/t/events",
      event({ seriesId: "s", seriesAccField: "text" }),
      400,
      "SERIES_CONFLICT",
      /leave seriesMode out and send seriesAccField "delta"/,
    ],
    ...[{ data: { text: "Hello" } }, { data: "Hello" }, { data: ["a"], seriesAccField: "0" }].map(
      (fields): typeof cases[number] => [
        "POST",
        "/tasks/t/events",
        event({ seriesId: "new", seriesMode: "accumulate", ...fields }),
        400,
        "INVALID_INPUT",
        /"seriesAccField" must name a field of data that holds a string/,
      ],
    ),
    [
      "POST",
      "/tasks/t/events",
      event({ seriesId: "s", data: { text: "Hello" } }),
      400,
      "INVALID_INPUT",
      /"seriesAccField" must name/,
    ],
    ["POST", "/tasks/t/events", event({ producerSeq: 0 }), 400, "INVALID_INPUT", /producerId/],
    [
      "POST",
      "/tasks/t/events",
      event({ producerId: "p", producerSeq: 4 }),
      409,
      "SEQUENCE_GAP",
      /0 next/,
    ],
    ["POST", "/tasks/t/events", [event({}), { data: 1 }], 400, "INVALID_INPUT", /"\[1\]\.type"/],
    ["POST", "/tasks/t/events", Array(1001).fill(event({})), 400, "INVALID_INPUT", /1000/],
    ["POST", "/tasks/t/events", big, 413, "PAYLOAD_TOO_LARGE", /1048576/, JSON_TYPE],
    [
      "POST",
      "/tasks/t/events",
      `{"type":"a","data":${deep}}`,
      400,
      "INVALID_INPUT",
      /64/,
      JSON_TYPE,
    ],
    ["GET", "/tasks/none/events", undefined, 404, "TASK_NOT_FOUND", /none/],
    ["GET", "/tasks/t/events?since.id=zzz", undefined, 400, "INVALID_CURSOR", /neither/],
    [
      "GET",
      "/tasks/t/events?since.id=abcdefgh-e1",
      undefined,
      400,
      "INVALID_CURSOR",
      /another task/,
    ],
    ["GET", "/tasks/t/events?since.index=99", undefined, 400, "INVALID_CURSOR", /beyond/],
    [
      "GET",
      "/tasks/t/events?since.index=1&since.timestamp=1",
      undefined,
      400,
      "INVALID_INPUT",
      /one of/,
    ],
    ["GET", "/tasks/t/events?seriesFormat=x", undefined, 400, "INVALID_INPUT", /"seriesFormat"/],
    ["GET", "/tasks/t/events?levels=loud", undefined, 400, "INVALID_INPUT", /"levels/],
    ["GET", "/tasks/t/events?wrap=maybe", undefined, 400, "INVALID_INPUT", /"wrap"/],
    ["GET", "/tasks/t/events?limit=x", undefined, 400, "INVALID_INPUT", /"limit"/],
    ["GET", "/tasks/t/events?ticket=zzz", undefined, 401, "UNAUTHORIZED", /ticket/],
    ["GET", "/tasks/t/events/history?limit=10001", undefined, 400, "INVALID_INPUT", /"limit"/],
    ["POST", "/tasks/t/tickets", { expiresInMs: 3_600_001 }, 400, "INVALID_INPUT", /"expiresInMs"/],
    ["PUT", "/tasks", {}, 405, "METHOD_NOT_ALLOWED", /GET/],
    ["GET", "/nothing/here", undefined, 404, "NOT_FOUND", /docs/],
  ];
  for (const [method, path, body, status, code, message, headers] of cases) {
    const label = `${method} ${path} ${JSON.stringify(body)?.slice(0, 80)}`;
    const answer = await server.call(method, path, body, headers);
    assert.equal(answer.status, status, `${label}: ${JSON.stringify(answer.body)}`);
    assert.equal(answer.body.error.code, code, label);
    assert.match(answer.body.error.message, message, label);
    assert.equal(answer.headers.get("content-type"), "application/json");
  }
  assert.deepEqual(await state(), before);
});

Deno.test("a server that sends no webhooks refuses tasks with webhooks", async () => {
  await using server = startServer();
  const { status, body } = await server.call("POST", "/tasks", { webhooks: [{ url: "http://x" }] });
  assert.deepEqual([status, body.error.code], [400, "NOT_SUPPORTED"]);
  assert.match(body.error.message, /webhooks/);
});

Deno.test("bodies that are compressed, not UTF-8 or null are refused, and change nothing", async () => {
  await using server = await startAnyServer();
  await server.engine.createTask({ id: "t" });
  const latin1 = Uint8Array.from(`{"type":"a","data":"\xe9"}`, (char) => char.charCodeAt(0));
  const lines = Uint8Array.from(
    `{"type":"a","data":1}\n{"type":"a","data":"\xe9"}\n`,
    (char) => char.charCodeAt(0),
  );
  const ndjson = { "content-type": "application/x-ndjson" };
  const post = async (path: string, body: BodyInit, headers: Record<string, string>) => {
    const response = await fetch(server.url + path, { method: "POST", headers, body });
    const { error } = await response.json();
    return [response.status, error.code, error.details?.published];
  };
  assert.deepEqual(await post("/tasks/t/events", latin1, JSON_TYPE), [
    400,
    "INVALID_INPUT",
    undefined,
  ]);
  assert.deepEqual(await post("/tasks/t/events", lines, ndjson), [400, "INVALID_INPUT", 1]);
  for (const type of [JSON_TYPE, ndjson]) {
    const gzip = { ...type, "content-encoding": "gzip" };
    assert.equal((await post("/tasks/t/events", "x", gzip))[0], 415);
  }
  for (const body of ["null", "1", '"x"', "[]"]) {
    assert.deepEqual((await post("/tasks", body, JSON_TYPE)).slice(0, 2), [400, "INVALID_INPUT"]);
  }
  assert.equal((await server.engine.getTask("t"))?.lastIndex, 0);
  assert.equal((await server.engine.listTasks()).tasks.length, 1);
});

Deno.test("keys with a meaning in JavaScript are data like any other", async () => {
  await using server = await startAnyServer();
  const params = '{"__proto__":{"admin":true},"constructor":1,"toString":2}';
  const created = await fetch(`${server.url}/tasks`, {
    method: "POST",
    headers: JSON_TYPE,
    body: `{"id":"t","params":${params},"metadata":${params}}`,
  });
  assert.equal(created.status, 201);
  assert(JSON.stringify(await created.json()).includes(`"params":${params},"metadata":${params}`));
  await fetch(`${server.url}/tasks/t/events`, {
    method: "POST",
    headers: JSON_TYPE,
    body: `{"type":"a","data":${params},"seriesId":"__proto__","seriesMode":"latest"}`,
  }).then((response) => response.body?.cancel());
  const history = await (await fetch(`${server.url}/tasks/t/events/history`)).text();
  assert(history.includes(`"data":${params},"seriesId":"__proto__"`), history);
  assert.equal(({} as { admin?: boolean }).admin, undefined);
});

Deno.test("HEAD answers as GET does, without opening a stream", async () => {
  await using server = await startAnyServer();
  await server.engine.createTask({ id: "t" });
  const head = await fetch(`${server.url}/tasks/t/events`, { method: "HEAD" });
  assert.equal(head.status, 200);
  assert.match(head.headers.get("content-type")!, /^text\/event-stream/);
  assert.equal((await fetch(`${server.url}/tasks/none/events`, { method: "HEAD" })).status, 404);
  assert.equal((await fetch(`${server.url}/events`, { method: "HEAD" })).status, 200);
  assert.equal((await server.reading()).streams, 0);
});
