import { context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import assert from "node:assert/strict";
import {
  MemoryBroadcastProvider,
  MemoryLongTermStore,
  MemoryShortTermStore,
  TaskEngine,
} from "@taskcast/core";
import { createEngineTracer, createTaskcastApp } from "@taskcast/server";
import { createWebhookSender } from "@taskcast/server/webhooks";
import { startCli } from "../../testing/servers/cli.ts";
import { serve } from "../../testing/network/serve.ts";
import { until } from "../../testing/sse/sse.ts";
import { startServer } from "../../testing/servers/test_server.ts";
import type { Received } from "../../testing/servers/webhook_receiver.ts";
import { withReceiver } from "../../testing/servers/webhook_receiver.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";
const GIVEN = `00-${TRACE}-${SPAN}-01`;

/** Runs a task with a webhook, from a request with this header to its end. */
async function traffic(
  traceparent: string,
  check: (received: Received[], store: MemoryShortTermStore) => void | Promise<void>,
): Promise<void> {
  const sender = createWebhookSender({ allowPrivate: true });
  const store = new MemoryShortTermStore();
  const answers = [500, 200];
  await withReceiver(() => answers.shift() ?? 200, async ({ url, received }) => {
    await using server = startServer({
      engine: {
        shortTermStore: store,
        longTermStore: new MemoryLongTermStore(),
        webhooks: { sender },
        tracer: createEngineTracer(),
        options: { archiveDelayMs: 0 },
      },
    });
    const { status, body } = await server.call(
      "POST",
      "/tasks",
      { id: "t", webhooks: [{ url, retry: { initialDelayMs: 1 } }] },
      { traceparent },
    );
    assert.equal(status, 201);
    assert(!JSON.stringify(body).includes("traceparent"), "it is no part of the task");
    const other = { traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01` };
    await server.call("POST", "/tasks/t/events", { type: "a", data: 1 }, other);
    await server.call("PATCH", "/tasks/t/status", { status: "completed" });
    await server.call("POST", "/tasks/t/events", { type: "a", data: 1 }); // Refused.
    await until(() => server.engine.stats.webhooksDelivered === 2, "the webhook has both");
    await server.engine.sweep();
    assert.equal(server.engine.stats.eventsArchived, 2);
    await check(received, store);
  });
  sender.close();
}

Deno.test("without an SDK a webhook gets the traceparent of the request that created the task", async () => {
  await traffic(GIVEN, async (received, store) => {
    assert.deepEqual(received.map(({ headers }) => headers.traceparent), [GIVEN, GIVEN, GIVEN]);
    const { record } = (await store.getTask("t"))!;
    assert.deepEqual([record.version, record.traceparent], [2, GIVEN], "transitions keep it");
  });
  for (const bad of ["nonsense", `00-${"0".repeat(32)}-${SPAN}-01`]) {
    await traffic(bad, async (received, store) => {
      assert.deepEqual(
        received.map(({ headers }) => headers.traceparent),
        Array(3).fill(undefined),
      );
      assert.equal((await store.getTask("t"))!.record.traceparent, undefined);
    });
  }
});

Deno.test("with an SDK there are spans with the right parents, and webhooks get theirs", async () => {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
  try {
    await traffic(GIVEN, async (received, store) => {
      const spans = exporter.getFinishedSpans();
      const named = (name: string) => spans.filter((span) => span.name === name);
      const only = (name: string): ReadableSpan => {
        assert.equal(named(name).length, 1, name);
        return named(name)[0]!;
      };
      const parentOf = (span: ReadableSpan) => span.parentSpanContext?.spanId;

      const created = only("POST /tasks");
      assert.equal(created.kind, SpanKind.SERVER);
      assert.equal(created.spanContext().traceId, TRACE);
      assert.equal(parentOf(created), SPAN);
      assert.equal(created.attributes["http.route"], "/tasks");
      assert.equal(created.attributes["http.response.status_code"], 201);
      assert.equal(created.attributes["taskcast.task.id"], "t");
      const own = `00-${TRACE}-${created.spanContext().spanId}-01`;
      assert.equal((await store.getTask("t"))!.record.traceparent, own);

      const requests = named("POST /tasks/{id}/events");
      const publishes = named("taskcast publish");
      assert.deepEqual(publishes.map(parentOf), requests.map((one) => one.spanContext().spanId));
      assert.equal(parentOf(requests[0]!), "b".repeat(16), "the publisher's own trace");
      assert.equal(publishes[0]!.spanContext().traceId, "a".repeat(32));
      assert.equal(publishes[0]!.attributes["taskcast.events"], 1);
      assert.deepEqual(
        publishes[0]!.links.map((link) => link.context.spanId),
        [created.spanContext().spanId],
        "linked to the one in which the task was created",
      );
      assert.equal(publishes[1]!.attributes["error.type"], "TASK_TERMINAL");
      assert.equal(publishes[1]!.status.code, SpanStatusCode.UNSET);

      const transition = only("taskcast transition");
      assert.equal(
        parentOf(transition),
        only("PATCH /tasks/{id}/status").spanContext().spanId,
      );
      assert.deepEqual(
        transition.links.map((link) => link.context.spanId),
        [created.spanContext().spanId],
      );

      const attempts = named("taskcast webhook");
      assert.equal(attempts.length, 3);
      for (const attempt of attempts) {
        assert.equal(attempt.kind, SpanKind.CLIENT);
        assert.equal(attempt.spanContext().traceId, TRACE);
        assert.equal(parentOf(attempt), created.spanContext().spanId);
      }
      assert.equal(attempts[0]!.status.code, SpanStatusCode.ERROR);
      assert.equal(attempts[1]!.status.code, SpanStatusCode.UNSET);
      assert.deepEqual(
        received.map(({ headers }) => headers.traceparent),
        attempts.map((one) => `00-${TRACE}-${one.spanContext().spanId}-01`),
      );

      const batches = named("taskcast archive");
      assert(batches.length > 0);
      for (const batch of batches) {
        assert.equal(parentOf(batch), undefined, "no request is the parent");
      }
    });
  } finally {
    trace.disable();
    context.disable();
    await provider.shutdown();
  }
});

Deno.test("a request inside a span of the host continues that trace", async () => {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
  try {
    await using engine = new TaskEngine({
      broadcast: new MemoryBroadcastProvider(),
      shortTermStore: new MemoryShortTermStore(),
    });
    const app = createTaskcastApp({ engine });
    const host = trace.getTracer("host").startSpan("host");
    await context.with(
      trace.setSpan(context.active(), host),
      () => app.request("/health", { headers: { traceparent: GIVEN } }),
    );
    const [span] = exporter.getFinishedSpans();
    assert.equal(span!.name, "GET /health");
    assert.equal(span!.kind, SpanKind.INTERNAL);
    assert.equal(span!.parentSpanContext?.spanId, host.spanContext().spanId);
  } finally {
    trace.disable();
    context.disable();
    await provider.shutdown();
  }
});

Deno.test("tracing starts with the call, so a publish precedes a later deletion", async () => {
  trace.setGlobalTracerProvider(new BasicTracerProvider());
  try {
    await using engine = new TaskEngine({
      broadcast: new MemoryBroadcastProvider(),
      shortTermStore: new MemoryShortTermStore(),
      tracer: createEngineTracer(),
    });
    await engine.createTask({ id: "t" });
    await engine.publishEvent("t", { type: "a", data: 1 }); // The API is loaded from here on.
    const publish = engine.publishEvent("t", { type: "a", data: 2 });
    await engine.deleteTask("t");
    assert.equal((await publish).index, 1);
  } finally {
    trace.disable();
  }
});

Deno.test("a server sends its spans where OTEL_DENO and OTEL_EXPORTER_OTLP_ENDPOINT say", async () => {
  const spans: Otlp[] = [];
  await using collector = serve(async (request) => {
    if (new URL(request.url).pathname === "/v1/traces") {
      const { resourceSpans } = await request.json() as {
        resourceSpans: { scopeSpans: { spans: Otlp[] }[] }[];
      };
      spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((s) => s.spans)));
    } else await request.body?.cancel();
    return Response.json({});
  });
  await using server = await startCli(["--host", "127.0.0.1"], {
    OTEL_DENO: "true",
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_BSP_SCHEDULE_DELAY: "50",
  });
  const headers = { traceparent: GIVEN };
  await (await fetch(`${server.url}/tasks`, { method: "POST", headers })).body?.cancel();
  const find = (name: string) => spans.find((span) => span.name === name);
  await until(() => find("POST /tasks") !== undefined, "the span arrives");
  await until(() => find("POST") !== undefined, "and that of the runtime");
  const [own, runtimes] = [find("POST /tasks")!, find("POST")!];
  assert.deepEqual([own.traceId, runtimes.traceId], [TRACE, TRACE]);
  assert.equal(own.parentSpanId, runtimes.spanId);
  assert.equal(runtimes.parentSpanId, SPAN);
});

/** A span on the wire. */
interface Otlp {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
}
