import assert from "node:assert/strict";
import { TaskcastError } from "../../protocol/errors.ts";
import type { Commit, ShortTermStore } from "../../contracts/short_term_store.ts";
import { MemoryShortTermStore } from "../../memory/short_term_store.ts";
import {
  DELAY_MS,
  everyEvent,
  interrupted,
  setUp,
} from "../../../testing/databases/archive_setup.ts";
import { restorableStore } from "../../../testing/databases/restorable_store.ts";
import type { WebhookRequest } from "../../contracts/webhooks.ts";
import type { TaskEngine } from "../../engine/engine.ts";

type Setup = ReturnType<typeof setUp>;

const countReports = (errors: readonly unknown[]) =>
  errors.filter((error) => /was brought back/.test(String(error))).length;

/** Archives events of several times and series. */
async function write(engine: TaskEngine, { clock }: Setup, id: string, count = 4): Promise<void> {
  for (let i = 0; i < count; i++) {
    await engine.publishEvents(id, [
      { type: "n", data: i },
      { type: "d", seriesId: "s", seriesMode: "accumulate", data: { delta: `${i}` } },
    ]);
    await clock.pass(3);
  }
  await clock.pass(DELAY_MS);
}

/** Returns a task as its readers see it. */
async function seen(engine: TaskEngine, id: string): Promise<unknown> {
  const { events } = await engine.getEvents(id);
  return [await engine.getTask(id), events];
}

/** A task of which the restored short-term store has nothing, a part of the log, or an older state. */
async function lose(what: "all" | "events" | "state") {
  const setup = setUp();
  const { open } = setup;
  const store = restorableStore();
  const engine = open({ shortTermStore: store });
  const nothing = store.changes;
  await engine.createTask({ id: "t", ttl: 3_600, tags: ["x"], type: "kind" });
  if (what === "events") await engine.transitionTask("t", "running");
  await write(engine, setup, "t");
  const some = store.changes;
  if (what !== "events") await engine.transitionTask("t", "running");
  await write(engine, setup, "t");
  const before = await seen(engine, "t");
  const events = await everyEvent(store, "t");
  await engine.close();
  await store.restore(what === "all" ? nothing : some);
  return { ...setup, store, before, events };
}

for (const what of ["all", "events", "state"] as const) {
  Deno.test(`a live task of which the short-term store lost ${what} is brought back, and goes on`, async () => {
    const { clock, errors, open, store, before, events } = await lose(what);
    const engine = open({ shortTermStore: store });
    await clock.pass(100);
    assert.deepEqual(await seen(engine, "t"), before);
    assert.deepEqual(await everyEvent(store, "t"), events);
    assert.equal(engine.stats.tasksRefilled, 1);
    assert.equal(countReports(errors), 1);
    await assert.rejects(engine.createTask({ id: "t" }), { code: "TASK_EXISTS" });
    const { tasks } = await engine.listTasks({ tag: "x", types: ["kind"] });
    assert.deepEqual(tasks.map(({ id, status }) => [id, status]), [["t", "running"]]);
    const texts: unknown[] = [];
    const kinds: string[] = [];
    const reading = (async () => {
      for await (const message of engine.subscribe("t")) {
        kinds.push(message.kind);
        if (message.kind === "event" && message.event.seriesId) texts.push(message.event.data);
      }
    })();
    await clock.pass(10);
    await engine.publishEvent("t", {
      type: "d",
      seriesId: "s",
      seriesMode: "accumulate",
      data: { delta: "!" },
    });
    await clock.pass(3_600_000);
    await reading;
    assert.deepEqual(texts, [{ delta: "01230123" }, { delta: "!" }]);
    assert.equal(kinds.at(-1), "done");
    assert.equal((await engine.getTask("t"))?.status, "timeout");
    assert.equal(engine.stats.tasksRefilled, 1);
    assert.equal(countReports(errors), 1);
    await engine.close();
  });
}

Deno.test("a stream that is open while its task is restored continues to the end without repetitions", async () => {
  const setup = setUp();
  const { clock, open } = setup;
  const store = restorableStore();
  const first = open({ shortTermStore: store });
  const nothing = store.changes;
  await first.createTask({ id: "t" });
  await write(first, setup, "t");
  const data: unknown[] = [];
  const reading = (async () => {
    for await (const message of first.subscribe("t", { filter: { types: ["n"] } })) {
      if (message.kind === "event") data.push(message.event.data);
    }
  })();
  await clock.pass(10);
  await store.restore(nothing);
  const second = open({ shortTermStore: store });
  await clock.pass(6_000);
  await second.publishEvent("t", { type: "n", data: "new" });
  await second.transitionTask("t", "completed");
  await clock.pass(6_000);
  await reading;
  assert.deepEqual(data, [0, 1, 2, 3, "new"]);
  await Promise.all([first.close(), second.close()]);
});

Deno.test("restoring continues where a dead instance stopped, and reads are complete meanwhile", async () => {
  let halves = 0;
  for (let survived = 0; survived <= 12; survived++) {
    for (const what of ["all", "events", "state"] as const) {
      const { clock, open, store, before, events } = await lose(what);
      let left = survived;
      const mortal = interrupted<ShortTermStore>(store, (method) => {
        if (left === 0) throw new TaskcastError("STORE_UNAVAILABLE", "it died");
        if (method === "commit" || method === "deleteTask") left--;
      });
      const dying = open({ shortTermStore: mortal });
      await clock.pass(50);
      const hidden = await store.getTask("t");
      await dying.close();
      if (hidden?.record.incarnation.startsWith("^")) {
        halves++;
        const idle = interrupted<ShortTermStore>(store, (method) => {
          if (method === "claim") throw new TaskcastError("STORE_UNAVAILABLE", "not now");
        });
        const other = open({ shortTermStore: idle });
        assert.deepEqual(await seen(other, "t"), before, `${what}, after ${survived}`);
        const { incarnation } = (await other.readTask("t"))!;
        const event = { type: "n", data: 1 };
        for (
          const write of [
            other.publishEvent("t", event),
            other.publishEvent("t", event, { incarnation }),
            other.transitionTask("t", "paused"),
          ]
        ) await assert.rejects(write, { code: "STORE_UNAVAILABLE" });
        await assert.rejects(other.createTask({ id: "t" }), { code: "TASK_EXISTS" });
        assert.deepEqual((await other.listTasks()).tasks.map(({ status }) => status), ["running"]);
        await other.close();
      }
      const second = open({ shortTermStore: store });
      await clock.pass(11_000);
      assert.deepEqual(await seen(second, "t"), before, `${what}, after ${survived}`);
      assert.deepEqual(await everyEvent(store, "t"), events, `${what}, after ${survived}`);
      await second.publishEvent("t", { type: "n", data: 1 });
      await second.close();
    }
  }
  assert(halves > 20, `${halves} were half done`);
});

Deno.test("several instances restore the same tasks at once, and each is complete and counted once", async () => {
  const setup = setUp();
  const { clock, open, errors } = setup;
  const ids = Array.from({ length: 120 }, (_, i) => `t${i}`);
  const first = open();
  for (const id of ids) {
    await first.createTask({ id });
    for (let i = 0; i < 3; i++) {
      await first.publishEvent(id, { type: "n", data: i });
      await clock.pass(1);
    }
  }
  await clock.pass(10_000);
  const before = await Promise.all(ids.map((id) => everyEvent(setup.cold, id)));
  await first.close();
  const hot = new MemoryShortTermStore();
  let turn = 0;
  const engines = [0, 1, 2].map(() =>
    open({
      shortTermStore: interrupted(hot, async () => {
        // In a different order each time.
        for (let i = turn++ * 7 % 5; i > 0; i--) await Promise.resolve();
      }),
    })
  );
  await clock.pass(20_000);
  assert.deepEqual(await Promise.all(ids.map((id) => everyEvent(hot, id))), before);
  const refilled = engines.map(({ stats }) => stats.tasksRefilled);
  assert.equal(refilled.reduce((sum, n) => sum + n), ids.length, `${refilled}`);
  assert.equal(countReports(errors), ids.length);
  for (const id of ids) await engines[1]!.publishEvent(id, { type: "n", data: "new" });
  await Promise.all(engines.map((engine) => engine.close()));
});

Deno.test("a task that is deleted before or while it is brought back stays deleted", async () => {
  for (let at = 0; at < 14; at++) {
    for (const what of ["all", "events"] as const) {
      const { clock, open, store, cold } = await lose(what);
      let steps = 0;
      const incarnation = (await cold.getTask("t"))!.record.incarnation;
      const engine = open({
        shortTermStore: interrupted(store, async (method) => {
          if (method !== "commit" && method !== "deleteTask" || steps++ !== at) return;
          await cold.deleteTask("t", incarnation);
          await store.deleteTask("t", { incarnation });
        }),
      });
      await clock.pass(30_000);
      if (steps > at) {
        assert.equal(await engine.getTask("t"), undefined, `${what}, step ${at}`);
        assert.equal(await store.getTask("t"), undefined, `${what}, step ${at}`);
        await engine.createTask({ id: "t" });
      } else {
        assert.equal((await engine.getTask("t"))?.status, "running");
        await engine.deleteTask("t");
        await clock.pass(30_000);
        assert.equal(await engine.getTask("t"), undefined);
      }
      await engine.close();
    }
  }
});

Deno.test("a task that was deleted while the archive was away is not brought back", async () => {
  const setup = setUp();
  const { clock, cold, open } = setup;
  const hot = new MemoryShortTermStore();
  const durable = new Proxy(hot, {
    get(target, name) {
      if (name === "durable") return true;
      const method = Reflect.get(target, name);
      return typeof method === "function" ? method.bind(target) : method;
    },
  });
  let isAway = false;
  const archive = interrupted(cold, () => {
    if (isAway) throw new TaskcastError("STORE_UNAVAILABLE", "away");
  });
  for (const isStandIn of [true, false]) {
    const id = `t${isStandIn}`;
    const first = open({ shortTermStore: durable, longTermStore: archive });
    await first.createTask({ id });
    await write(first, setup, id);
    await first.close();
    await hot.deleteTask(id);
    if (isStandIn) {
      let commits = 0;
      const dying = open({
        longTermStore: archive,
        shortTermStore: interrupted(durable, (method) => {
          if (method === "commit" && commits++ > 2) {
            throw new TaskcastError("STORE_UNAVAILABLE", "");
          }
        }),
      });
      await clock.pass(50);
      await dying.close();
      assert.match((await hot.getTask(id))!.record.incarnation, /^\^/);
    }
    isAway = true;
    const second = open({ shortTermStore: durable, longTermStore: archive });
    const deletion = second.deleteTask(id);
    await clock.pass(5_000);
    assert.equal(await deletion, "pending");
    isAway = false;
    await clock.pass(60_000);
    assert.equal(await cold.getTask(id), undefined);
    assert.equal(await hot.getTask(id), undefined);
    assert.equal(second.stats.tasksRefilled, 0);
    await second.close();
  }
});

Deno.test("a hot copy with events that the archive lacks is kept, and its live task is set aside and reported", async () => {
  const { clock, store, open, errors } = await lose("events");
  const engine = open({ shortTermStore: store });
  await engine.publishEvent("t", { type: "n", data: "other" });
  await clock.pass(30_000);
  assert.equal(engine.stats.tasksRefilled, 0);
  assert.equal((await everyEvent(store, "t"))?.at(-1)?.data, '"other"');
  assert.equal(engine.setAside().archive?.tasks[0]?.taskId, "t");
  assert(errors.some((error) => /both are kept as they are/.test(String(error))));
  await engine.close();
});

Deno.test("a task for which the short-term store has no room is set aside, reported, and restored later", async () => {
  const setup = setUp();
  const { clock, open, errors } = setup;
  const first = open();
  for (const id of ["a", "b"]) await first.createTask({ id });
  await write(first, setup, "a");
  await first.close();
  const hot = new MemoryShortTermStore();
  let isFull = true;
  const shortTermStore = new Proxy(hot, {
    get(target, name) {
      if (name === "commit" && isFull) {
        return (commit: Commit) =>
          commit.record === undefined
            ? target.commit(commit)
            : Promise.resolve({ ok: false, refusal: { code: "STORE_FULL" } });
      }
      const method = Reflect.get(target, name);
      return typeof method === "function" ? method.bind(target) : method;
    },
  });
  const engine = open({ shortTermStore });
  await clock.pass(100);
  assert.equal(engine.setAside().archive?.count, 2);
  assert(errors.some((error) => /cannot be brought back: .*STORE_FULL/.test(String(error))));
  await assert.rejects(engine.publishEvent("a", { type: "n", data: 1 }), {
    code: "STORE_UNAVAILABLE",
  });
  assert.equal((await engine.getEvents("a")).events.length, 8);
  isFull = false;
  await clock.pass(60_000);
  assert.equal(engine.stats.tasksRefilled, 2);
  assert.equal(engine.setAside().archive?.count ?? 0, 0);
  await engine.publishEvent("a", { type: "n", data: 1 });
  await engine.close();
});

Deno.test("a write to a live task that only the archive has restores it, even if no loss was noticed", async () => {
  const setup = setUp();
  const { clock, hot, open } = setup;
  const engine = open();
  await engine.createTask({ id: "t" });
  await write(engine, setup, "t");
  await clock.pass(5_000);
  await hot.deleteTask("t");
  const event = { type: "n", data: 1 };
  await assert.rejects(engine.publishEvent("t", event), { code: "STORE_UNAVAILABLE" });
  await clock.pass(10);
  assert.equal((await engine.publishEvent("t", event)).index, 8);
  await engine.close();
});

Deno.test("a lost task without writes is found within hours, with few calls", async () => {
  const setup = setUp({ options: { archiveDelayMs: DELAY_MS, sweepMs: 60_000 } });
  const { clock, hot, cold, open } = setup;
  let asked = 0;
  const longTermStore = interrupted(cold, (method) => {
    if (method === "listTasks") asked++;
  });
  const engine = open({ longTermStore });
  await engine.createTask({ id: "t" });
  await write(engine, setup, "t");
  await clock.pass(5_000);
  await hot.deleteTask("t");
  asked = 0;
  await clock.pass(21_600_000);
  assert.equal(engine.stats.tasksRefilled, 1);
  assert.equal(asked, 1);
  await engine.close();
});

Deno.test("a store at its bound does not give up a live task that was brought back", async () => {
  const setup = setUp();
  const { clock, open } = setup;
  const first = open();
  await first.createTask({ id: "t" });
  await write(first, setup, "t");
  await first.close();
  const hot = new MemoryShortTermStore({ maxBytes: 50_000 });
  const engine = open({ shortTermStore: hot });
  await clock.pass(5_000);
  assert.equal(engine.stats.tasksRefilled, 1);
  await assert.rejects(async () => {
    for (let i = 0; i < 100; i++) await engine.createTask();
  }, { code: "STORE_FULL" });
  assert.equal((await hot.getTask("t"))?.record.task.status, "pending");
  await engine.close();
});

Deno.test("acknowledged events are stored, whenever producers write while tasks are restored", async () => {
  let random = 7;
  const below = (n: number) => (random = random * 48_271 % 2_147_483_647) % n;
  let refilled = 0;
  let kept = 0;
  for (let round = 0; round < 150; round++) {
    const { clock, open, store, events } = await lose(
      (["all", "events", "state"] as const)[round % 3]!,
    );
    const older = (await everyEvent(store, "t"))?.length ?? 0;
    const late = interrupted<ShortTermStore>(store, async () => {
      for (let i = below(8); i > 0; i--) await Promise.resolve();
    });
    const engines = [0, 1].map(() => open({ shortTermStore: late }));
    const stored: number[] = [];
    const producers = engines.map(async (engine, n) => {
      for (let i = below(60); i > 0; i--) await Promise.resolve();
      for (let i = 0; i < 4;) {
        try {
          await engine.publishEvent("t", { type: "n", data: 100 * (n + 1) + i });
          stored.push(100 * (n + 1) + i++);
        } catch (error) {
          assert(error instanceof TaskcastError && error.code === "STORE_UNAVAILABLE", `${error}`);
          await new Promise((resolve) => clock.setTimeout(() => resolve(undefined), 1 + below(3)));
        }
      }
    });
    await clock.pass(15_000);
    await Promise.all(producers);
    const log = (await everyEvent(store, "t"))!;
    const isWhole = engines.some(({ stats }) => stats.tasksRefilled > 0);
    const beginning = events!.slice(0, isWhole ? undefined : older);
    assert.deepEqual(log.slice(0, beginning.length), beginning, `round ${round}`);
    const after = log.slice(beginning.length).map(({ data }) => +data);
    assert.deepEqual(after.toSorted(), stored.toSorted(), `round ${round}`);
    assert.equal(stored.length, 8);
    if (isWhole) refilled++;
    else kept++;
    await Promise.all(engines.map((engine) => engine.close()));
  }
  assert(refilled > 20 && kept > 20, `${refilled} were brought back, ${kept} kept as they were`);
});

Deno.test("an event that is published just before a hot copy is replaced is kept", async () => {
  const { clock, store, open, errors } = await lose("events");
  const idle = interrupted<ShortTermStore>(store, (method) => {
    if (method === "claim") throw new TaskcastError("STORE_UNAVAILABLE", "not now");
  });
  const producer = open({ shortTermStore: idle });
  let index: number | undefined;
  const engine = open({
    shortTermStore: interrupted<ShortTermStore>(store, async (method) => {
      if (method !== "deleteTask" || index !== undefined) return;
      ({ index } = await producer.publishEvent("t", { type: "n", data: "now" }));
    }),
  });
  await clock.pass(20_000);
  assert.equal((await everyEvent(store, "t"))?.[index!]?.data, '"now"');
  assert.equal(engine.stats.tasksRefilled, 0);
  assert(errors.some((error) => /both are kept as they are/.test(String(error))));
  await Promise.all([engine.close(), producer.close()]);
});

Deno.test("an id stays reserved between the removal of a hot copy and its replacement", async () => {
  const setup = setUp();
  const { clock, open } = setup;
  const store = restorableStore();
  const durable = new Proxy<ShortTermStore>(store, {
    get: (target, name) => name === "durable" || Reflect.get(target, name),
  });
  const first = open({ shortTermStore: durable });
  const { id } = await first.createTask(); // So recent that the archive is not asked.
  const some = store.changes;
  await write(first, setup, id);
  await first.close();
  await store.restore(some);
  const idle = interrupted<ShortTermStore>(durable, (method) => {
    if (method === "claim") throw new TaskcastError("STORE_UNAVAILABLE", "not now");
  });
  const other = open({ shortTermStore: idle });
  let refused = 0;
  let isReplaced = false;
  const engine = open({
    shortTermStore: interrupted<ShortTermStore>(durable, async (method) => {
      if (method === "deleteTask") isReplaced = true;
      if (method !== "commit" || !isReplaced) return;
      await assert.rejects(other.createTask({ id }), { code: "TASK_EXISTS" });
      refused++;
    }),
  });
  await clock.pass(5_000);
  assert(refused > 2, `${refused}`);
  assert.equal(engine.stats.tasksRefilled, 1);
  assert.equal((await everyEvent(store, id))?.length, 8);
  await Promise.all([engine.close(), other.close()]);
});

Deno.test("a log of many times is brought back in several turns, and others have theirs in between", async () => {
  const setup = setUp({ options: { archiveDelayMs: DELAY_MS, pageSize: 100 } });
  const { clock, cold, open } = setup;
  const first = open();
  await first.createTask({ id: "long" });
  for (let i = 0; i < 1_200; i++) {
    await first.publishEvent("long", { type: "n", data: i });
    await clock.pass(1);
  }
  await clock.pass(10_000);
  await first.close();
  const hot = new MemoryShortTermStore();
  let commits = 0;
  let claims = 0;
  const shortTermStore = interrupted<ShortTermStore>(hot, (method) => {
    if (method === "commit") commits++;
    if (method === "claim" && commits > 100 && commits < 1_200) claims++;
  });
  const engine = open({ shortTermStore });
  await clock.pass(500);
  assert.equal(engine.stats.tasksRefilled, 1);
  assert.deepEqual(
    (await hot.readLog("long", { after: -1, limit: 2_000 }))!.events,
    (await cold.readLog("long", { after: -1, limit: 2_000 }))!.events,
  );
  assert(claims >= 2, "others have their turn");
  await engine.close();
});

Deno.test("webhooks of a task that lost events deliver each event once", async () => {
  const values: number[] = [];
  const sender = {
    refusal: () => undefined,
    send: (request: WebhookRequest) => {
      values.push(JSON.parse(request.body).data);
      return Promise.resolve({ status: 200 });
    },
  };
  const { clock, open } = setUp({ webhooks: { sender } });
  const store = restorableStore();
  const first = open({ shortTermStore: store });
  const filter = { includeStatus: false };
  await first.createTask({ id: "t", webhooks: [{ url: "https://a.test", filter }] });
  for (const data of [1, 2]) await first.publishEvent("t", { type: "n", data });
  await clock.pass(5_000);
  const some = store.changes;
  await first.publishEvent("t", { type: "n", data: 3 });
  await clock.pass(DELAY_MS);
  await first.close();
  await store.restore(some);
  values.length = 2; // The store has lost the delivery of the third event.
  const second = open({ shortTermStore: store });
  await clock.pass(5_000);
  assert.equal(second.stats.tasksRefilled, 1);
  await second.publishEvent("t", { type: "n", data: 4 });
  await clock.pass(5_000);
  assert.deepEqual(values, [1, 2, 3, 4]);
  await second.close();
});

Deno.test("a task whose ttl expired while it was lost times out as soon as it is restored", async () => {
  const setup = setUp();
  const { clock, open } = setup;
  const first = open();
  await first.createTask({ id: "t", ttl: 60 });
  await write(first, setup, "t");
  await first.close();
  await clock.pass(120_000);
  const engine = open({ shortTermStore: new MemoryShortTermStore() });
  await clock.pass(1_100);
  assert.equal((await engine.getTask("t"))?.status, "timeout");
  await engine.close();
});
