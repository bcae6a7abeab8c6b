import assert from "node:assert/strict";
import { fakeClock } from "../../../testing/fake_clock.ts";
import type { ShortTermStore } from "../../contracts/short_term_store.ts";
import type { LongTermStore } from "../../contracts/long_term_store.ts";
import { MemoryBroadcastProvider } from "../../memory/broadcast.ts";
import { MemoryLongTermStore } from "../../memory/long_term_store.ts";
import { MemoryShortTermStore } from "../../memory/short_term_store.ts";
import type { CleanupRule } from "../../protocol/cleanup.ts";
import type { TaskEngineOptions } from "../../engine/options.ts";
import { cleanUp } from "../../engine/calls/clean_up.ts";
import { TaskEngine } from "../../engine/engine.ts";

const HOUR_MS = 3_600_000;
const DELETE: CleanupRule = { name: "old", trigger: { afterMs: 24 * HOUR_MS }, target: "all" };
const DEBUG: CleanupRule = {
  match: { taskTypes: ["llm.*"] },
  trigger: { afterMs: HOUR_MS },
  target: "events",
  eventFilter: { levels: ["debug"] },
};

function setUp({ archive = false, rules = [DEBUG, DELETE] }: {
  archive?: boolean;
  rules?: CleanupRule[];
} = {}) {
  const clock = fakeClock();
  const hot = new MemoryShortTermStore();
  const cold = archive ? new MemoryLongTermStore() : undefined;
  const errors: unknown[] = [];
  const common = { broadcast: new MemoryBroadcastProvider(), clock };
  const open = (more: Partial<TaskEngineOptions> = {}) =>
    new TaskEngine({
      ...common,
      shortTermStore: hot,
      longTermStore: cold,
      cleanup: { rules },
      options: { hotRetentionMs: 2 * HOUR_MS, sweepMs: 60_000 },
      hooks: { onUnhandledError: (error) => void errors.push(error) },
      ...more,
    });
  return { clock, hot, cold, errors, common, open };
}

/** Creates a task with events of all kinds; those with level `debug` are deleted. */
async function ended(engine: TaskEngine, id: string, type = "llm.chat"): Promise<void> {
  await engine.createTask({ id, type });
  for (let i = 0; i < 20; i++) {
    await engine.publishEvent(id, { type: "step", data: i, level: i % 2 ? "info" : "debug" });
    for (const [seriesId, level] of [["kept", "info"], ["gone", "debug"]] as const) {
      await engine.publishEvent(id, {
        type: "text",
        data: { delta: `${i};` },
        level: seriesId === "kept" || i % 2 ? level : "debug",
        seriesId,
        seriesMode: "accumulate",
      });
    }
    // One of its events has another level, so the series stays as a whole.
    const level = i === 7 ? "warn" : "debug";
    await engine.publishEvent(id, {
      type: "progress",
      data: i,
      level,
      seriesId: "mixed",
      seriesMode: "latest",
    });
  }
  await engine.transitionTask(id, "running");
  await engine.transitionTask(id, "completed", { result: { n: 1 } });
}

async function messages(engine: TaskEngine, id: string, options: object = {}) {
  return await Array.fromAsync(engine.subscribe(id, options));
}

/** Returns the events that a reader gets after a clean-up. */
async function framesOf(engine: TaskEngine, id: string, options: object = {}) {
  return (await messages(engine, id, options)).flatMap((message) =>
    message.kind === "event" && message.event.level !== "debug"
      ? [{ ...message.event, filteredIndex: message.filteredIndex }]
      : []
  );
}

for (const archive of [false, true]) {
  const where = archive ? "hot and cold" : "hot";

  Deno.test(`${where}: events of ended tasks go when a rule is due, and the rest reads as before`, async () => {
    const { clock, errors, open } = setUp({ archive });
    await using engine = open();
    await ended(engine, "t");
    await ended(engine, "other", "build");
    const cursor = (await engine.getEvents("t", { limit: 4 })).nextCursor!;
    const filter = { filter: { types: ["step", "taskcast:status"] } };
    const before = await framesOf(engine, "t", filter);
    const other = await engine.getEvents("other");
    const whole = (await engine.getEvents("t")).events;
    await clock.pass(HOUR_MS - 1);
    assert.equal((await engine.getEvents("t")).events.length, whole.length);
    await clock.pass(1);
    const left = whole.filter(({ level, seriesId }) => level !== "debug" || seriesId === "mixed");
    assert.equal(left.length, 10 + 20 + 10 + 20 + 2 - 10);
    assert.deepEqual((await engine.getEvents("t")).events, left);
    assert.deepEqual(await framesOf(engine, "t", filter), before, "places are the same");
    assert.deepEqual(await engine.getEvents("other"), other);
    assert.equal((await engine.getTask("t"))!.lastIndex, whole.length - 1);

    const joined = await messages(engine, "t");
    assert.deepEqual(
      joined.flatMap((m) => m.kind === "event" && m.event.seriesId ? [m.event.seriesId] : []),
      ["kept", "mixed"],
    );
    const resumed = await messages(engine, "t", { since: { id: cursor } });
    assert.equal(resumed[0]?.kind === "open" && resumed[0].resume, "expired");
    const indexesAndData = (list: typeof joined) =>
      list.flatMap((m) => m.kind === "event" ? [[m.event.index, m.event.data]] : []);
    assert.deepEqual(
      indexesAndData(resumed),
      indexesAndData(joined).filter(([index]) => (index as number) > 3),
    );
    const byId = await messages(engine, "t", { since: { id: whole[0]!.id } });
    assert.deepEqual(
      indexesAndData(byId),
      indexesAndData(joined),
      "a reader continues from a trimmed event",
    );

    await clock.pass(2 * HOUR_MS); // With an archive, the hot copy is released.
    assert.deepEqual((await engine.getEvents("t")).events, left);
    assert.equal(engine.stats.eventsTrimmed, whole.length - left.length);
    assert.deepEqual(errors, []);
  });

  Deno.test(`${where}: tasks go when a rule is due, once however many instances there are`, async () => {
    const { clock, hot, cold, errors, open } = setUp({ archive });
    await using one = open();
    await using two = open();
    for (let i = 0; i < 150; i++) {
      await one.createTask({ id: `t${i}`, type: "build" });
      await one.publishEvent(`t${i}`, { type: "a", data: i });
      if (i < 140) await one.transitionTask(`t${i}`, "cancelled");
    }
    await clock.pass(24 * HOUR_MS - 1_000);
    assert.equal(await count(one), 150);
    await clock.pass(20_000);
    assert.equal(await count(one), 10, "those that have not ended stay");
    assert.equal(one.stats.tasksCleaned + two.stats.tasksCleaned, 140);
    for (const store of [hot, cold]) assert.equal(await store?.getTask("t3"), undefined);
    await clock.pass(100 * HOUR_MS);
    assert.equal(await count(two), 10);
    assert.deepEqual(errors, []);
  });

  Deno.test(`${where}: rules that come later hold for tasks that ended before`, async () => {
    const { clock, open } = setUp({ archive, rules: [] });
    {
      await using engine = open();
      for (let i = 0; i < 450; i++) {
        const id = `t${i}`;
        await engine.createTask({ id, type: "llm.chat" });
        await engine.publishEvent(id, { type: "a", data: 1, level: "debug" });
        await engine.transitionTask(id, "completed");
      }
      await clock.pass(10 * HOUR_MS);
    }
    await using engine = open({ cleanup: { rules: [DEBUG] } });
    await clock.pass(30_000);
    assert.equal(engine.stats.eventsTrimmed, 450);
    await using next = open({ cleanup: { rules: [DELETE] } });
    await clock.pass(30_000);
    assert.equal(await count(next), 450);
    // An instance without rules for a task unschedules it; the next search schedules it again.
    await clock.pass(21 * HOUR_MS);
    assert.equal(await count(next), 0);
  });

  Deno.test(`${where}: a task has rules of its own, beside those of all tasks`, async () => {
    const { clock, open } = setUp({ archive, rules: [DELETE] });
    await using engine = open();
    const soon = { trigger: { afterMs: 5_000 }, target: "task" as const };
    const failed = { ...soon, match: { status: ["failed" as const] } };
    await engine.createTask({ id: "soon", cleanup: { rules: [soon] } });
    await engine.createTask({ id: "failed", cleanup: { rules: [failed] } });
    await engine.createTask({ id: "plain" });
    assert.deepEqual((await engine.getTask("soon"))!.cleanup, { rules: [soon] });
    for (const id of ["soon", "failed", "plain"]) await engine.transitionTask(id, "completed");
    await clock.pass(20_000);
    assert.equal(await engine.getTask("soon"), undefined);
    assert.equal(await count(engine), 2);
    await clock.pass(25 * HOUR_MS);
    assert.equal(await count(engine), 0);
  });
}

async function count(engine: TaskEngine): Promise<number> {
  return (await engine.listTasks({ limit: 500 })).tasks.length;
}

Deno.test("a subscription to a task that a rule deleted fails with TASK_NOT_FOUND", async () => {
  const { clock, open } = setUp();
  await using engine = open();
  await engine.createTask({ id: "t" });
  const ends: string[] = [];
  await engine.watchEnd("t", (ending) => ends.push(ending));
  await engine.transitionTask("t", "completed");
  await clock.pass(25 * HOUR_MS);
  assert.equal(await engine.getTask("t"), undefined);
  assert.deepEqual(ends, ["completed"]);
  await assert.rejects(messages(engine, "t"), { code: "TASK_NOT_FOUND" });
});

Deno.test("events of some age go when the rule is due, and the rest when all are old enough", async () => {
  const rule: CleanupRule = {
    trigger: { afterMs: 0 },
    target: "events",
    eventFilter: { olderThanMs: HOUR_MS },
  };
  const { clock, open } = setUp({ rules: [rule] });
  await using engine = open();
  await engine.createTask({ id: "t" });
  await engine.publishEvent("t", { type: "early", data: null });
  await clock.pass(HOUR_MS);
  await engine.publishEvent("t", { type: "late", data: null });
  await engine.transitionTask("t", "completed");
  const types = async () => (await engine.getEvents("t")).events.map(({ type }) => type);
  await clock.pass(1_000);
  assert.deepEqual(await types(), ["late", "taskcast:status"]);
  await clock.pass(HOUR_MS);
  assert.deepEqual(await types(), ["taskcast:status"]);
});

Deno.test("nothing goes before the archive has it", async () => {
  const { clock, cold, hot, open } = setUp({
    archive: true,
    rules: [{ ...DELETE, trigger: { afterMs: 0 } }, { ...DEBUG, trigger: { afterMs: 0 } }],
  });
  let away = false;
  const flaky = new Proxy(cold!, {
    get(target, name) {
      const method = Reflect.get(target, name, target);
      if (typeof method !== "function") return method;
      return async (...args: unknown[]) => {
        if (away && name === "archive") throw new Error("the archive is away");
        return await method.apply(target, args);
      };
    },
  });
  await using engine = open({ longTermStore: flaky });
  await engine.createTask({ id: "t", type: "llm.chat" });
  await engine.publishEvent("t", { type: "a", data: 1, level: "debug" });
  await clock.pass(1_000);
  away = true;
  await engine.publishEvent("t", { type: "a", data: 2, level: "debug" });
  await engine.transitionTask("t", "completed");
  await clock.pass(60_000);
  assert.equal((await hot.readLog("t", { after: -1, limit: 9 }))?.events.length, 3);
  away = false;
  await clock.pass(60_000);
  assert.equal(await engine.getTask("t"), undefined);
});

Deno.test("clean-up that is interrupted at any point is finished by another instance", async () => {
  const whole = await (async () => {
    const { clock, open } = setUp({ archive: true, rules: [DEBUG] });
    await using engine = open();
    await ended(engine, "t");
    await clock.pass(2 * HOUR_MS);
    return (await engine.getEvents("t")).events.map(({ index, data }) => [index, data]);
  })();
  for (let at = 0; at < 8; at++) {
    const { clock, hot, cold, open } = setUp({ archive: true, rules: [DEBUG] });
    let calls = 0;
    let isDead = false;
    const dying = <Store extends ShortTermStore | LongTermStore>(store: Store): Store =>
      new Proxy(store, {
        get(target, name) {
          const method = Reflect.get(target, name, target);
          if (typeof method !== "function") return method;
          return async (...args: unknown[]) => {
            if (name === "trimLog" && calls++ === at) isDead = true;
            if (isDead) throw new Error("this instance is dead");
            return await method.apply(target, args);
          };
        },
      });
    await using engine = open({
      shortTermStore: dying(hot),
      longTermStore: dying(cold!),
      options: { hotRetentionMs: 9 * HOUR_MS, pageSize: 8 },
    });
    await ended(engine, "t");
    await clock.pass(HOUR_MS + 60_000);
    assert.equal(isDead, true, `it died at its trim ${at}`);
    await using other = open({ options: { hotRetentionMs: 9 * HOUR_MS, pageSize: 8 } });
    await clock.pass(60_000);
    const { events } = await other.getEvents("t");
    assert.deepEqual(events.map(({ index, data }) => [index, data]), whole);
    for (const store of [hot, cold!]) {
      const page = await store.readLog("t", { after: -1, limit: 999 });
      assert.deepEqual(page!.events.map(({ index }) => index), whole.map(([index]) => index));
      assert.equal((await store.readFolds("t", { after: -1, limit: 9 }))!.folds.length, 2);
    }
  }
});

Deno.test("cleanUp() reports what it would delete without changing anything, or deletes it", async () => {
  const { clock, hot, cold, common, open } = setUp({ archive: true, rules: [] });
  await using engine = open();
  await ended(engine, "t");
  await clock.pass(30 * HOUR_MS);
  await ended(engine, "u");
  await engine.createTask({ id: "v", type: "llm.chat" });
  await clock.pass(HOUR_MS);
  const stores = { ...common, shortTermStore: hot, longTermStore: cold };
  const run = async (dryRun: boolean) =>
    (await Array.fromAsync(cleanUp({ ...stores, cleanup: { rules: [DEBUG, DELETE] }, dryRun })))
      .map(({ task: { id }, rules, action, events }) => ({ id, rules, action, events }));
  const expected = [
    { id: "u", rules: ["rule 1"], action: "trimmed", events: 30 },
    { id: "t", rules: ["old"], action: "deleted", events: 82 },
  ];
  assert.deepEqual(await run(true), expected);
  assert.deepEqual(await run(true), expected);
  assert.equal((await engine.getEvents("t")).events.length, 82);
  assert.deepEqual(await run(false), expected);
  assert.deepEqual(await run(false), []);
  assert.equal(await engine.getTask("t"), undefined);
  assert.equal((await engine.getEvents("u")).events.length, 52);
});

Deno.test("cleanUp() leaves what the archive or a webhook does not have yet", async () => {
  const { clock, hot, cold, common, open } = setUp({ archive: true, rules: [] });
  const now = { ...DEBUG, trigger: { afterMs: 0 } };
  const clean = async (rules: CleanupRule[]) => {
    const stores = { ...common, shortTermStore: hot, longTermStore: cold };
    const reports = await Array.fromAsync(cleanUp({ ...stores, cleanup: { rules } }));
    return reports.map(({ task: { id }, action }) => [id, action]);
  };
  const sent: string[] = [];
  const sender = {
    refusal: () => undefined,
    send: ({ url }: { url: string }) => {
      sent.push(url);
      return Promise.resolve({ status: 200 });
    },
  };
  await using engine = open({ webhooks: { sender, defaultRetry: { initialDelayMs: 1_000 } } });
  await engine.createTask({ id: "hooked", webhooks: [{ url: "https://example.test/" }] });
  await engine.transitionTask("hooked", "cancelled");
  await ended(engine, "plain");
  assert.deepEqual(await clean([now, { trigger: { afterMs: 0 }, target: "all" }]), []);
  assert.deepEqual(await clean([now]), []);
  await clock.pass(60_000);
  assert.equal(sent.length, 1);
  assert.equal((await cold!.getTask("plain"))!.length, 82);
  assert.deepEqual(await clean([now]), [["plain", "trimmed"]]);
  const left = (await cold!.readLog("plain", { after: -1, limit: 99 }))!.events.length;
  assert.equal(left, 52);
  const all: CleanupRule = { trigger: { afterMs: 0 }, target: "all" };
  assert.deepEqual((await clean([all])).sort(), [["hooked", "deleted"], ["plain", "deleted"]]);
});

Deno.test("cleanUp() leaves a new task alone that has the id of an ended one", async () => {
  const { clock, hot, common, open } = setUp({ rules: [] });
  await using engine = open();
  for (const id of ["a", "b"]) {
    await engine.createTask({ id });
    await engine.transitionTask(id, "cancelled");
    await clock.pass(1);
  }
  const rules: CleanupRule[] = [{ trigger: { afterMs: 0 }, target: "all" }];
  const cleaned: string[] = [];
  for await (
    const { task } of cleanUp({ ...common, shortTermStore: hot, cleanup: { rules } })
  ) {
    cleaned.push(task.id);
    await engine.deleteTask("a");
    await engine.createTask({ id: "a" });
  }
  assert.deepEqual(cleaned, ["b"]);
  assert.equal((await engine.getTask("a"))?.status, "pending");
});

Deno.test("rules that are none are refused", async () => {
  const { open } = setUp();
  const refused = (rule: object, path: string) =>
    assert.throws(() => open({ cleanup: { rules: [rule as CleanupRule] } }), {
      code: "INVALID_INPUT",
      message: new RegExp(`^"cleanup\\.rules\\[0\\]\\${path}`),
    });
  refused({ target: "all" }, ".trigger");
  refused({ trigger: { afterMs: -1 }, target: "all" }, ".trigger.afterMs");
  refused({ trigger: { afterMs: 1.5 }, target: "all" }, ".trigger.afterMs");
  refused({ trigger: { afterMs: 1 } }, ".target");
  refused({ trigger: { afterMs: 1 }, target: "al" }, ".target");
  refused({ trigger: { afterMs: 1 }, target: "all", eventFilter: {} }, ".eventFilter");
  refused({ trigger: { afterMs: 1 }, target: "all", match: { status: ["running"] } }, ".match");
  refused({ trigger: { afterMs: 1 }, target: "all", match: { status: [] } }, ".match");
  refused({ trigger: { afterMs: 1 }, target: "all", match: { taskTypes: [] } }, ".match");
  refused({ trigger: { afterMs: 1 }, target: "all", match: { types: ["a"] } }, ".match");
  refused({ trigger: { afterMs: 1 }, target: "events", eventFilter: { levels: ["x"] } }, ".event");
  refused({ trigger: { afterMs: 1 }, target: "all", match: { status: Array(1) } }, ".match");
  assert.throws(() => open({ cleanup: { rules: Array(1) } }), { code: "INVALID_INPUT" });
  await using engine = open();
  const rules = [{ trigger: { afterMs: 1 }, target: "al" as "all" }];
  await assert.rejects(engine.createTask({ cleanup: { rules } }), { code: "INVALID_INPUT" });
  const many = Array.from({ length: 33 }, () => DELETE);
  await assert.rejects(engine.createTask({ cleanup: { rules: many } }), { code: "INVALID_INPUT" });
});
