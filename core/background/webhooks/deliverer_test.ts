import assert from "node:assert/strict";
import { fakeClock } from "../../../testing/fake_clock.ts";
import type { WebhookFailure, WebhookRequest, WebhookResponse } from "../../contracts/webhooks.ts";
import { delayReads } from "../../conformance/delay_reads.ts";
import { MemoryBroadcastProvider } from "../../memory/broadcast.ts";
import { MemoryLongTermStore } from "../../memory/long_term_store.ts";
import { MemoryShortTermStore } from "../../memory/short_term_store.ts";
import type { Webhook } from "../../protocol/webhook.ts";
import type { TaskEngineOptions } from "../../engine/options.ts";
import { TaskEngine } from "../../engine/engine.ts";

type Answer = (request: WebhookRequest) => WebhookResponse | Promise<WebhookResponse>;

const OK: Answer = () => ({ status: 200 });
const HOOK: Webhook = { url: "https://example.test/hook?key=1", filter: { includeStatus: false } };

function setUp(options: Partial<TaskEngineOptions> = {}) {
  const clock = fakeClock();
  const store = new MemoryShortTermStore();
  const broadcast = new MemoryBroadcastProvider();
  const received: (WebhookRequest & { json: { data: unknown; filteredIndex: number } })[] = [];
  const failures: WebhookFailure[] = [];
  const errors: unknown[] = [];
  const world = { answer: OK };
  const sender = {
    refusal: (url: string) => url.includes("forbidden") ? "is forbidden" : undefined,
    async send(request: WebhookRequest) {
      received.push({ ...request, json: JSON.parse(request.body) });
      return await world.answer(request);
    },
  };
  const open = (more: Partial<TaskEngineOptions> = {}) =>
    new TaskEngine({
      broadcast,
      shortTermStore: store,
      clock,
      webhooks: { sender },
      hooks: {
        onWebhookFailed: (_task, failure) => void failures.push(failure),
        onUnhandledError: (error) => void errors.push(error),
      },
      ...options,
      ...more,
    });
  const values = () => received.map(({ json }) => json.data);
  return { clock, store, sender, received, failures, errors, world, open, values };
}

/** Advances the clock while stores and receivers answer in real time. */
async function live(clock: ReturnType<typeof fakeClock>, ms: number): Promise<void> {
  for (let i = 0; i < 60; i++) {
    await clock.pass(ms / 60);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

async function publish(engine: TaskEngine, id: string, ...data: unknown[]): Promise<void> {
  for (const value of data) await engine.publishEvent(id, { type: "n", data: value });
}

Deno.test("webhooks get every matching event in order, with its place, once", async () => {
  const { clock, received, errors, open, store } = setUp();
  await using engine = open();
  await engine.createTask({
    id: "t",
    webhooks: [HOOK, { url: "https://other.test/", filter: { types: ["x"] }, wrap: false }],
  });
  await publish(engine, "t", 0, 1);
  await engine.publishEvent("t", { type: "x", data: { a: 1 } });
  await live(clock, 50);
  await publish(engine, "t", 2);
  await engine.transitionTask("t", "completed");
  await live(clock, 50);
  const own = received.filter(({ url }) => url === HOOK.url);
  assert.deepEqual(own.map(({ json }) => json.data), [0, 1, { a: 1 }, 2]);
  assert.deepEqual(own.map(({ json }) => json.filteredIndex), [0, 1, 2, 3]);
  const other = received.filter(({ url }) => url !== HOOK.url);
  assert.deepEqual(other.map(({ body }) => body), ['{"a":1}']);
  assert.equal(other[0]!.headers["x-taskcast-event"], "x");
  assert.deepEqual(await store.scheduled("deliver", { limit: 9 }), []);
  assert.equal(engine.stats.webhooksDelivered, 5);
  assert.deepEqual(errors, []);
});

Deno.test("a failed delivery is retried at growing intervals, then abandoned and reported; others continue", async () => {
  const { clock, received, failures, world, open } = setUp();
  await using engine = open();
  world.answer = ({ url }) => ({ status: url === HOOK.url ? 500 : 200 });
  const retry = { retries: 2, initialDelayMs: 1_000 };
  await engine.createTask({
    id: "t",
    webhooks: [{ ...HOOK, retry }, { ...HOOK, url: "https://other.test/" }],
  });
  await publish(engine, "t", "a");
  await live(clock, 10);
  assert.equal(received.length, 2);
  await publish(engine, "t", "b");
  await live(clock, 1_100);
  assert.equal(received.filter(({ url }) => url !== HOOK.url).length, 2, "the other does not wait");
  await live(clock, 10_000);
  const attempts = received.filter(({ url }) => url === HOOK.url);
  assert.deepEqual(attempts.map(({ json }) => json.data), ["a", "a", "a", "b", "b", "b"]);
  assert.equal(new Set(attempts.map(({ headers }) => headers["webhook-id"])).size, 2);
  assert.deepEqual(failures.map(({ index, attempts, error }) => [index, attempts, error]), [
    [0, 3, "HTTP 500"],
    [1, 3, "HTTP 500"],
  ]);
  const [status] = await engine.getWebhooks("t");
  assert.equal(status!.url, "https://example.test/hook", "queries are not shown");
  assert.deepEqual(status!.failed.map(({ from, through, count }) => [from, through, count]), [
    [0, 1, 2],
  ]);
  assert.deepEqual((await engine.listUndelivered()).map(({ taskId }) => taskId), ["t"]);

  world.answer = OK;
  received.length = 0;
  await publish(engine, "t", "c");
  assert.equal(await engine.retryWebhook("t", "0"), 2);
  await live(clock, 1_100);
  const again = received.filter(({ url }) => url === HOOK.url).map(({ json }) => json);
  assert.deepEqual(again.map(({ data }) => data).toSorted(), ["a", "b", "c"]);
  assert.deepEqual(
    again.map(({ data, filteredIndex }) => `${data}${filteredIndex}`).toSorted(),
    ["a0", "b1", "c2"],
  );
  assert.deepEqual((await engine.getWebhooks("t"))[0]!.failed, []);
  assert.deepEqual(await engine.listUndelivered(), []);
  await assert.rejects(engine.retryWebhook("t", "7"), { code: "WEBHOOK_NOT_FOUND" });
});

Deno.test("a receiver that never answers delays neither other receivers nor publishing", async () => {
  const { clock, received, world, open } = setUp();
  const engine = open();
  const slow: Webhook = { ...HOOK, url: "https://slow.test/" };
  world.answer = ({ url, signal }) =>
    url !== slow.url ? { status: 200 } : new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(new Error("cut off")));
    });
  for (let i = 0; i < 40; i++) {
    await engine.createTask({ id: `slow${i}`, webhooks: [slow] });
    await publish(engine, `slow${i}`, i);
  }
  await engine.createTask({ id: "t", webhooks: [HOOK] });
  await publish(engine, "t", "a");
  await live(clock, 1_000);
  assert(received.some(({ url, json }) => url === HOOK.url && json.data === "a"));
  assert.equal(received.filter(({ url }) => url === slow.url).length, 16, "16 at a time");
  await engine.close();
});

Deno.test("an instance that dies in between is replaced: nothing is lost, the order stays", async () => {
  const { clock, received, world, open, store } = setUp();
  const dying = open();
  let dead = false;
  world.answer = async () => {
    if (dead) await new Promise(() => {});
    return { status: 200 };
  };
  await dying.createTask({ id: "t", webhooks: [HOOK] });
  await publish(dying, "t", 1, 2);
  await live(clock, 50);
  dead = true;
  await publish(dying, "t", 3, 4);
  await live(clock, 50);
  assert.deepEqual(received.map(({ json }) => json.data), [1, 2, 3]);
  world.answer = OK;
  await using other = open({ shortTermStore: delayReads(store) });
  await publish(other, "t", 5);
  await live(clock, 60_000);
  assert.deepEqual(received.map(({ json }) => json.data), [1, 2, 3, 3, 4, 5]);
});

Deno.test("an instance that was frozen at any step sends nothing that others have gone past", async () => {
  const frozenIn = new Set<string>();
  for (let step = 0;; step++) {
    const { clock, open, store, values } = setUp();
    const { promise: thaw, resolve: letGo } = Promise.withResolvers<void>();
    let calls = 0;
    let frozen: string | undefined;
    // From that call on the first instance is frozen until it is released.
    const freezing = new Proxy(store, {
      get(target, name) {
        const value = Reflect.get(target, name);
        if (typeof value !== "function") return value;
        return async (...args: unknown[]) => {
          if (name !== "commit" && calls++ >= step) {
            frozen ??= String(name);
            await thaw;
          }
          return await value.apply(target, args);
        };
      },
    });
    // Its clock stands still meanwhile, like that of a paused virtual machine.
    let lagMs = 0;
    const first = open({
      shortTermStore: freezing,
      clock: { ...clock, now: () => clock.now() - lagMs },
    });
    await first.createTask({ id: "t", webhooks: [{ ...HOOK, retry: { timeoutMs: 9_000 } }] });
    await publish(first, "t", 0, 1, 2);
    await live(clock, 100);
    if (frozen === undefined) {
      assert.deepEqual(values(), [0, 1, 2]);
      await first.close();
      break;
    }
    frozenIn.add(frozen);
    const second = open();
    await publish(second, "t", 3, 4);
    await live(clock, 60_000);
    lagMs = 60_000;
    letGo();
    await live(clock, 60_000);
    const sent = values() as number[];
    assert.deepEqual(sent, sent.toSorted(), `frozen in ${frozen}, call ${step}`);
    assert.deepEqual([...new Set(sent)], [0, 1, 2, 3, 4]);
    await first.close();
    await second.close();
  }
  assert(frozenIn.has("readLog") && frozenIn.has("writeNote"), [...frozenIn].join());
});

Deno.test("a sender that never settles is not waited for", async () => {
  const { clock, received, world, open } = setUp();
  const engine = open();
  world.answer = () => new Promise(() => {});
  await engine.createTask({
    id: "t",
    webhooks: [{ ...HOOK, retry: { retries: 0, timeoutMs: 1_000 } }],
  });
  await publish(engine, "t", "a");
  await live(clock, 2_500);
  world.answer = OK;
  await publish(engine, "t", "b");
  await live(clock, 1_100);
  assert.deepEqual(received.map(({ json }) => json.data), ["a", "b"]);
  const [status] = await engine.getWebhooks("t");
  assert.deepEqual(status!.failed.map(({ error }) => error), ["no answer within 1000 ms"]);
  await engine.close();
});

Deno.test("many instances deliver each event to a webhook once, in order", async () => {
  const { clock, store, open, values, world } = setUp();
  world.answer = async () => {
    for (let i = 0; i < 3; i++) await Promise.resolve();
    return { status: 204 };
  };
  const engines = [1, 2, 3].map((n) => open({ shortTermStore: delayReads(store, n) }));
  await engines[0]!.createTask({ id: "t", webhooks: [HOOK] });
  for (let i = 0; i < 30; i++) {
    await publish(engines[i % 3]!, "t", i);
    if (i % 4 === 0) await live(clock, 5);
  }
  await live(clock, 30_000);
  assert.deepEqual(values(), Array.from({ length: 30 }, (_, i) => i));
  for (const engine of engines) await engine.close();
});

Deno.test("a task stays in the short-term store until its webhooks have everything", async () => {
  const longTermStore = new MemoryLongTermStore();
  const options = { hotRetentionMs: 1_000, archiveDelayMs: 100 };
  const { clock, store, open, world } = setUp({ longTermStore, options });
  await using engine = open();
  world.answer = () => ({ status: 503, retryAfterMs: 20_000 });
  await engine.createTask({ id: "t", webhooks: [{ ...HOOK, retry: { retries: 20 } }] });
  await publish(engine, "t", 1);
  await engine.transitionTask("t", "completed");
  await live(clock, 90_000);
  assert.notEqual(await store.getTask("t"), undefined);
  world.answer = OK;
  await live(clock, 120_000);
  assert.equal(await store.getTask("t"), undefined);
  assert.equal((await engine.getTask("t"))?.status, "completed");
});

Deno.test("no receiver makes the wait for the next attempt shorter, endless or no number", async () => {
  for (const retryAfterMs of [0, -1, NaN, Infinity, 1e300, 0.5]) {
    const { clock, received, values, world, open } = setUp();
    await using engine = open();
    const retry = {
      retries: 3,
      backoff: "fixed",
      initialDelayMs: 1_000,
      maxDelayMs: 2_000,
    } as const;
    await engine.createTask({ id: "t", webhooks: [{ ...HOOK, retry }] });
    world.answer = () => ({ status: 503, retryAfterMs });
    await publish(engine, "t", 1);
    await live(clock, 400);
    assert.equal(received.length, 1, `${retryAfterMs}: half of the wait at least`);
    await live(clock, 3_000);
    const attempts = values().length;
    assert(
      attempts >= 2 && (attempts === 2 || retryAfterMs <= 1_000 || Number.isNaN(retryAfterMs)),
      `${retryAfterMs}: ${attempts}`,
    );
  }
});

Deno.test("webhooks that are late get what clean-up left, at its places", async () => {
  const { clock, store, received, world, open } = setUp();
  await using engine = open();
  const filter = { types: ["n", "taskcast:status"] };
  await engine.createTask({ id: "t", webhooks: [{ ...HOOK, filter }] });
  await publish(engine, "t", 0);
  await live(clock, 50);
  world.answer = () => ({ status: 503 });
  await publish(engine, "t", 1, 2, 3, 4);
  await engine.publishEvent("t", { type: "other", data: 5 });
  await engine.transitionTask("t", "completed");
  const { record } = (await store.getTask("t"))!;
  await store.trimLog("t", record.incarnation, { indexes: [1, 2, 4, 5], series: [] });
  world.answer = OK;
  await live(clock, 60_000);
  const deliveries = received.map(({ json }) => [json.filteredIndex, json.data]);
  assert.deepEqual([deliveries[0], deliveries.at(-2), deliveries.at(-1)], [
    [0, 0],
    [3, 3],
    [5, { status: "completed" }],
  ]);
});

Deno.test("webhooks of the server get the tasks of their types", async () => {
  const { clock, received, open, sender } = setUp();
  await using engine = open({
    webhooks: {
      sender,
      hooks: [{
        name: "audit",
        url: "https://audit.test/",
        taskTypes: ["llm.*"],
        filter: { types: ["taskcast:status"] },
      }],
    },
  });
  for (const type of ["llm.chat", "build"]) {
    await engine.createTask({ id: type, type });
    await engine.transitionTask(type, "completed");
  }
  await live(clock, 100);
  assert.deepEqual(received.map(({ json }) => (json as unknown as { taskId: string }).taskId), [
    "llm.chat",
  ]);
  assert.deepEqual((await engine.getWebhooks("llm.chat")).map(({ hook }) => hook), ["audit"]);
});

Deno.test("webhooks that cannot be sent are refused when the task is created", async () => {
  const { open, store } = setUp();
  await using engine = open();
  const wrong: [unknown, RegExp][] = [
    [{ url: "ftp://x" }, /webhooks\[0\]\.url.*https/],
    [{ url: "https://user:pass@x/" }, /no user and password/],
    [{ url: "https://forbidden/" }, /is forbidden/],
    [{ url: "https://x/", retry: { retries: 21 } }, /webhooks\[0\]\.retry\.retries/],
    [{ url: "https://x/", retry: { timeoutMs: 20_000 } }, /timeoutMs/],
    [{ url: "https://x/", secrets: "" }, /secrets/],
    [{ url: "https://x/", wrap: 1 }, /wrap/],
  ];
  for (const [hook, message] of wrong) {
    await assert.rejects(engine.createTask({ webhooks: [hook as Webhook] }), (error: Error) => {
      assert.match(error.message, message);
      return true;
    });
  }
  await using silent = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: store,
  });
  await assert.rejects(silent.createTask({ webhooks: [HOOK] }), { code: "NOT_SUPPORTED" });
});
