import assert from "node:assert/strict";
import { MemoryLongTermStore, MemoryShortTermStore } from "@taskcast/core";
import { createWebhookSender } from "@taskcast/server/webhooks";
import type { Family } from "../../testing/texts/prometheus.ts";
import { parsePrometheus, valueOf } from "../../testing/texts/prometheus.ts";
import { allFrames, frames, until } from "../../testing/sse/sse.ts";
import { startServer } from "../../testing/servers/test_server.ts";
import { withReceiver } from "../../testing/servers/webhook_receiver.ts";

async function scrape(url: string): Promise<Map<string, Family>> {
  const response = await fetch(`${url}/metrics`);
  assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  return parsePrometheus(await response.text());
}

Deno.test("after traffic each metric has the expected value", async () => {
  const sender = createWebhookSender({ allowPrivate: true });
  const answers = [500, 200, 200];
  await withReceiver(() => answers.shift() ?? 404, async (receiver) => {
    await using server = startServer({
      engine: {
        longTermStore: new MemoryLongTermStore(),
        webhooks: { sender },
        options: { archiveDelayMs: 0 },
      },
    });
    const { engine } = server;
    const before = await scrape(server.url);
    assert.equal(valueOf(before, "taskcast_tasks_created_total"), 0);
    assert.equal(valueOf(before, "taskcast_tasks_ended_total", { status: "timeout" }), 0);
    assert.equal(valueOf(before, "taskcast_commits_total", { outcome: "ok" }), 0);

    await server.call("POST", "/tasks", { id: "t" });
    const seen: (string | undefined)[] = [];
    const reading = (async () => {
      for await (const { event } of frames(`${server.url}/tasks/t/events`)) seen.push(event);
    })();
    await until(() => engine.stats.streams === 1 && seen.length === 1, "the reader is there");
    await until(() => engine.stats.tails === 1, "it waits for more");
    for (let i = 0; i < 3; i++) {
      await server.call("POST", "/tasks/t/events", { type: "a", data: "x".repeat(100) });
      await until(() => seen.length === 2 + i, "the event arrives");
    }
    const now = await scrape(server.url);
    assert.equal(valueOf(now, "taskcast_streams"), 1);
    assert.equal(valueOf(now, "taskcast_followed_tasks"), 1);
    assert(valueOf(now, "taskcast_tail_bytes") >= 300);
    assert(valueOf(now, "taskcast_view_bytes") >= 300);
    assert(valueOf(now, "taskcast_sent_bytes_total") >= 300);
    const delivered = valueOf(now, "taskcast_delivery_latency_seconds_count");
    assert(delivered >= 1 && delivered <= 3, `${delivered} samples`);
    assert(valueOf(now, "taskcast_delivery_latency_seconds_sum") < 5);

    await server.call("PATCH", "/tasks/t/status", { status: "completed" });
    await reading;
    await server.call("POST", "/tasks/t/events", { type: "a", data: 1 }); // Refused.
    await server.call("POST", "/tasks", { id: "t" });
    await server.call("POST", "/tasks", { id: "f" });
    await server.call("PATCH", "/tasks/f/status", { status: "failed" });
    const { length } = await allFrames(`${server.url}/tasks/t/events?since.index=0`);
    assert.equal(length, 5, "the resumed stream: the opening, three events, the end");
    for (const path of ["/tasks/none", "/tasks/other", "/no/such/path", "/nor/this"]) {
      assert.equal((await server.call("GET", path)).status, 404);
    }
    await server.call("POST", "/tasks", {
      id: "hooked",
      webhooks: [{ url: receiver.url, retry: { retries: 1, initialDelayMs: 1 } }],
    });
    for (let i = 0; i < 3; i++) await engine.publishEvent("hooked", { type: "b", data: i });
    await until(() => engine.stats.webhooksGivenUp === 1, "the delivery is abandoned");
    await engine.createTask({ id: "late", ttl: 1 });
    await until(async () => (await engine.getTask("late"))?.status === "timeout", "it times out");
    await engine.sweep();

    const after = await scrape(server.url);
    const value = (name: string, labels?: Record<string, string>) => valueOf(after, name, labels);
    assert.equal(value("taskcast_tasks_created_total"), 4);
    assert.deepEqual(
      ["completed", "failed", "timeout", "cancelled"].map((status) =>
        value("taskcast_tasks_ended_total", { status })
      ),
      [1, 1, 1, 0],
    );
    assert.equal(value("taskcast_leases_lost_total"), 0);
    assert.equal(value("taskcast_events_published_total"), 6);
    assert.equal(value("taskcast_events_stored_total"), 9, "and three status events");
    assert.equal(value("taskcast_commits_total", { outcome: "ok" }), 4 + 6 + 3);
    assert.equal(value("taskcast_commits_total", { outcome: "terminal" }), 1);
    assert.equal(value("taskcast_commit_duration_seconds_count"), 14);
    assert.equal(value("taskcast_streams"), 0);
    assert.equal(value("taskcast_tail_bytes"), 0);
    assert.equal(value("taskcast_view_bytes"), 0);
    assert.equal(value("taskcast_events_archived_total"), 9);
    assert(value("taskcast_archive_write_duration_seconds_count", { outcome: "ok" }) >= 1);
    assert.equal(value("taskcast_archive_lag_seconds"), 0);
    assert(value("taskcast_archive_backlog_tasks") <= 4);
    assert(value("taskcast_lagging_reads_total") >= 0);
    assert(value("taskcast_lagging_events_total") >= 0);
    assert.equal(value("taskcast_tasks_released_total"), 0);
    assert.equal(value("taskcast_tasks_cleaned_total"), 0);
    assert.equal(value("taskcast_events_trimmed_total"), 0);
    assert.equal(value("taskcast_due_work_lag_seconds"), 0);
    assert.equal(value("taskcast_due_work_delay_seconds_count", { kind: "deadline" }), 1);
    assert.equal(value("taskcast_webhook_deliveries_total"), 2);
    assert.equal(value("taskcast_webhook_attempts_failed_total"), 3);
    assert.equal(value("taskcast_webhook_deliveries_given_up_total"), 1);
    assert.equal(value("taskcast_webhook_attempts_under_way"), 0);
    assert.equal(value("taskcast_webhook_attempt_duration_seconds_count"), 5);
    assert.equal(
      value("taskcast_http_requests_total", { method: "POST", route: "/tasks", status: "201" }),
      3,
    );
    const published = { method: "POST", route: "/tasks/{id}/events" };
    assert.equal(value("taskcast_http_requests_total", { ...published, status: "201" }), 3);
    assert.equal(value("taskcast_http_requests_total", { ...published, status: "409" }), 1);
    assert.equal(value("taskcast_http_request_duration_seconds_count", published), 4);
    assert.equal(
      value("taskcast_http_requests_total", { method: "GET", route: "other", status: "404" }),
      2,
    );
    for (const role of ["short_term_store", "long_term_store", "broadcast"]) {
      assert.equal(value("taskcast_dependency_up", { role }), 1);
    }
    assert(value("process_cpu_seconds_total") > 0);
    assert(value("process_resident_memory_bytes") > 1e6);
    assert(value("process_heap_bytes") >= value("process_heap_used_bytes"));
    assert(Math.abs(value("process_start_time_seconds") - Date.now() / 1000) < 3_600);
    assert(value("process_event_loop_lag_seconds") >= 0);

    const labels = [...after.values()].flatMap(({ samples }) =>
      samples.flatMap((s) => Object.values(s.labels))
    );
    for (const id of ["t", "none", "hooked", "/no/such/path"]) assert(!labels.includes(id), id);
  });
  sender.close();
});

Deno.test("a scrape does not hang on a dependency that does not answer", async () => {
  const store = new MemoryShortTermStore();
  await using server = startServer({ engine: { shortTermStore: store } });
  const hang = Promise.withResolvers<void>();
  let checks = 0;
  store.check = () => {
    checks++;
    return hang.promise;
  };
  const startMs = performance.now();
  const [metrics] = await Promise.all([scrape(server.url), scrape(server.url)]);
  assert(performance.now() - startMs < 4_000);
  assert.equal(metrics.get("taskcast_dependency_up")!.samples.length, 0, "nothing is known yet");
  assert.equal(valueOf(metrics, "taskcast_tasks_created_total"), 0);
  assert.equal(checks, 1, "one check serves both scrapes");
  hang.reject(new Error("gone"));
  await until(
    async () => {
      const { samples } = (await scrape(server.url)).get("taskcast_dependency_up")!;
      return samples.some(({ labels, value }) => labels.role === "short_term_store" && value === 0);
    },
    "it is down",
  );
  assert.equal(checks, 1, "the result is cached");
});

Deno.test("refusals are counted by limit, and streams are reported with their bound", async () => {
  const trustedServices = { billing: "a key of many characters", mail: "another, as long as that" };
  const headers = (key: string, address = "192.0.2.1") => ({
    "x-taskcast-service-key": key,
    "x-test-address": address,
  });
  const slow = (burst: number) => ({ requestsPerSecond: 0.001, burst });
  await using server = startServer({
    app: {
      auth: { mode: "custom", authenticate: () => null },
      trustedServices,
      clientAddress: (request) => request.headers.get("x-test-address") ?? undefined,
      rateLimit: { ...slow(6), perAddress: slow(9), failedAuthentications: slow(1) },
      maxStreams: 2,
      maxStreamsPerCredential: 1,
    },
  });
  const scrapeAll = async () => {
    const response = await fetch(`${server.url}/metrics`, {
      headers: headers(trustedServices.billing, "192.0.2.9"),
    });
    return parsePrometheus(await response.text());
  };
  const refused = async () => {
    const { samples } = (await scrapeAll()).get("taskcast_requests_limited_total")!;
    return Object.fromEntries(samples.map(({ labels, value }) => [labels.reason, value]));
  };
  const none = {
    credential: 0,
    address: 0,
    failures: 0,
    caller_streams: 0,
    streams: 0,
    caller_publishing_streams: 0,
    publishing_streams: 0,
  };
  assert.deepEqual(await refused(), none);
  const status = async (given: Record<string, string>, path = "/tasks") => {
    const response = await fetch(server.url + path, { headers: given });
    await response.body?.cancel();
    return response.status;
  };
  await server.engine.createTask({ id: "t" });
  const open = async (key: string) => {
    const stream = frames(`${server.url}/tasks/t/events`, { headers: headers(key) });
    await stream.next();
    return stream;
  };
  const first = await open(trustedServices.billing);
  assert.equal(await status(headers(trustedServices.billing), "/events"), 429);
  const second = await open(trustedServices.mail);
  const full = await scrapeAll();
  assert.equal(valueOf(full, "taskcast_stream_slots_in_use", { kind: "reading" }), 2);
  assert.equal(valueOf(full, "taskcast_stream_slots_in_use", { kind: "publishing" }), 0);
  assert.equal(valueOf(full, "taskcast_stream_slots_limit"), 2);
  await second.return();
  await until(
    async () =>
      valueOf(await scrapeAll(), "taskcast_stream_slots_in_use", { kind: "reading" }) === 1,
    "a slot is free",
  );
  for (let i = 0; i < 4; i++) assert.equal(await status(headers(trustedServices.billing)), 200);
  for (let i = 0; i < 2; i++) assert.equal(await status(headers(trustedServices.billing)), 429);
  for (let i = 0; i < 3; i++) assert.equal(await status(headers(trustedServices.mail)), 429);
  for (const expected of [401, 429, 429]) {
    assert.equal(await status(headers("a guess", "192.0.2.2")), expected);
  }
  assert.deepEqual(await refused(), {
    ...none,
    credential: 2,
    address: 3,
    failures: 2,
    caller_streams: 1,
  });
  await first.return();
});

Deno.test("unlimited streams have an infinite bound, and a refused stream is counted", async () => {
  {
    await using server = startServer({ app: { maxStreams: Infinity } });
    assert.equal(valueOf(await scrape(server.url), "taskcast_stream_slots_limit"), Infinity);
  }
  await using server = startServer({ app: { maxStreams: 1 } });
  await server.engine.createTask({ id: "t" });
  const stream = frames(`${server.url}/tasks/t/events`);
  await stream.next();
  assert.equal((await server.call("GET", "/events")).status, 429);
  const limited = await scrape(server.url);
  assert.equal(valueOf(limited, "taskcast_requests_limited_total", { reason: "streams" }), 1);
  await stream.return();
});
