import assert from "node:assert/strict";
import type { LongTermStore } from "../../contracts/long_term_store.ts";
import type { ShortTermStore } from "../../contracts/short_term_store.ts";
import { MemoryShortTermStore } from "../../memory/short_term_store.ts";
import { TaskcastError } from "../../protocol/errors.ts";
import { draftOfStored } from "../../domain/series.ts";
import type { TaskEngine } from "../../engine/engine.ts";
import {
  DELAY_MS,
  everyEvent,
  interrupted,
  RETENTION_MS,
  setUp,
} from "../../../testing/databases/archive_setup.ts";
async function fill(engine: TaskEngine, id: string, events = 25): Promise<void> {
  await engine.createTask({ id, type: "llm.chat", tags: ["a"], ttl: 3_600 });
  for (let i = 0; i < events; i++) {
    await engine.publishEvent(id, { type: "step", data: i, level: i % 2 ? "info" : "debug" });
    const data = { delta: `${i};` };
    await engine.publishEvent(id, { type: "d", data, seriesId: "s", seriesMode: "accumulate" });
  }
}

/** Reads everything that a user can read of a task. */
async function answers(engine: TaskEngine, id: string, cursor?: string) {
  const follow = (options: object) => Array.fromAsync(engine.subscribe(id, options));
  return {
    task: await engine.getTask(id),
    listed: await engine.listTasks({ tag: "a", status: ["completed"] }),
    history: await engine.getEvents(id),
    accumulated: await engine.getEvents(id, { seriesFormat: "accumulated" }),
    filtered: await engine.getEvents(id, { filter: { levels: ["debug"] }, since: { index: 3 } }),
    lateJoin: await follow({}),
    lastThree: await follow({ limit: 3 }),
    resumed: await follow({ since: { id: cursor } }),
    resumedByIndex: await follow({ since: { index: 10 }, filter: { types: ["step"] } }),
    resumedByTime: await follow({ since: { timestamp: 0 } }),
  };
}

Deno.test("a task is archived after its writes, and reads are the same once it is only in the archive", async () => {
  const { clock, hot, cold, errors, open } = setUp();
  await using engine = open();
  await fill(engine, "t");
  await clock.pass(DELAY_MS);
  assert.deepEqual(await everyEvent(cold, "t"), await everyEvent(hot, "t"));
  await engine.transitionTask("t", "completed", { result: { n: 1 } });
  await clock.pass(DELAY_MS);
  assert.deepEqual(await cold.getTask("t"), await hot.getTask("t"));

  const cursor = (await engine.getEvents("t", { limit: 6 })).nextCursor;
  const before = await answers(engine, "t", cursor);
  await clock.pass(RETENTION_MS);
  assert.equal(await hot.getTask("t"), undefined, "the hot copy is given up");
  assert.deepEqual(await answers(engine, "t", cursor), before);
  assert.equal(engine.stats.tasksReleased, 1);
  assert.equal(engine.stats.eventsArchived, 51);
  assert.deepEqual(errors, []);
});

Deno.test("a task that only the archive has is not a new one", async () => {
  const { clock, hot, open } = setUp();
  await using engine = open();
  await fill(engine, "t", 1);
  await engine.transitionTask("t", "completed");
  await clock.pass(DELAY_MS + RETENTION_MS);
  assert.equal(await hot.getTask("t"), undefined);
  const refused = async (code: string, work: Promise<unknown>) =>
    await assert.rejects(work, (error) => error instanceof TaskcastError && error.code === code);
  await refused("TASK_EXISTS", engine.createTask({ id: "t" }));
  await refused("TASK_TERMINAL", engine.publishEvent("t", { type: "n", data: 1 }));
  await refused("INVALID_TRANSITION", engine.transitionTask("t", "failed"));
  await engine.deleteTask("t");
  assert.equal(await engine.getTask("t"), undefined);
  await refused("TASK_NOT_FOUND", engine.deleteTask("t"));
  await refused("TASK_NOT_FOUND", engine.publishEvent("t", { type: "n", data: 1 }));
  await engine.createTask({ id: "t" });
});

Deno.test("publishing continues while the archive cannot be reached, which then gets everything once", async () => {
  const { clock, hot, cold, errors, open } = setUp();
  let away = true;
  const longTermStore = interrupted(cold, () => {
    if (away) throw new TaskcastError("STORE_UNAVAILABLE", "the archive is away");
  });
  await using engine = open({ longTermStore });
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) {
    const { id } = await engine.createTask();
    ids.push(id);
    await engine.publishEvents(id, [1, 2, 3].map((data) => ({ type: "n", data })));
    if (i % 2) await engine.transitionTask(id, "completed");
    await clock.pass(40_000);
  }
  assert.equal(ids.length, 5);
  assert(engine.stats.archiveLagMs >= 150_000, `${engine.stats.archiveLagMs}`);
  assert.deepEqual((await engine.check()).longTermStore, {
    ok: false,
    error: "cannot be reached",
    required: false,
    lagMs: engine.stats.archiveLagMs,
  });
  assert(errors.length > 0);
  for (const id of ids) assert((await hot.getTask(id)) !== undefined, "nothing is given up");
  const whole = await Promise.all(ids.map((id) => everyEvent(hot, id)));
  away = false;
  await clock.pass(10_000);
  assert.deepEqual(await Promise.all(ids.map((id) => everyEvent(cold, id))), whole);
  assert.equal(engine.stats.archiveLagMs, 0);
});

Deno.test("an instance that dies half-way is replaced, and nothing is archived twice", async () => {
  for (const deadlyStep of ["positions", "archive", "archived"]) {
    for (const times of [1, 2, 3]) {
      const { clock, hot, cold, open } = setUp();
      let left = times;
      const deadly = async (method: string) => {
        // Never resolves, as in a process that is killed.
        if (method === deadlyStep && --left <= 0) await new Promise(() => {});
      };
      const dying = open({
        longTermStore: interrupted(cold, deadly),
        shortTermStore: interrupted(hot, deadly),
      });
      await fill(dying, "t");
      await clock.pass(DELAY_MS);
      await using other = open();
      await fill(other, "u", 3);
      await clock.pass(40_000);
      for (const id of ["t", "u"]) {
        assert.deepEqual(await everyEvent(cold, id), await everyEvent(hot, id), deadlyStep);
      }
    }
  }
});

Deno.test("many instances archive the same tasks, and each event once", async () => {
  const { clock, hot, cold, open } = setUp();
  const engines = [open(), open(), open()];
  for (const [i, engine] of engines.entries()) await fill(engine, `t${i}`);
  await clock.pass(60_000);
  for (const i of engines.keys()) {
    assert.deepEqual(await everyEvent(cold, `t${i}`), await everyEvent(hot, `t${i}`));
  }
  const archived = engines.reduce((sum, { stats }) => sum + stats.eventsArchived, 0);
  assert.equal(archived, 150, "no event was sent to the archive twice");
  for (const engine of engines) await engine.close();
});

Deno.test("a task that is deleted while it is archived does not come back", async () => {
  const { clock, hot, cold, open } = setUp();
  const entered = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const slow = interrupted(cold, async (method) => {
    if (method !== "archive") return;
    entered.resolve();
    await goOn.promise;
  });
  await using archiving = open({ longTermStore: slow });
  await using other = open();
  await fill(archiving, "t", 2);
  const passing = clock.pass(DELAY_MS);
  await entered.promise;
  await other.deleteTask("t");
  goOn.resolve();
  await passing;
  await clock.pass(60_000);
  assert.equal(await cold.getTask("t"), undefined);
  assert.equal(await hot.getTask("t"), undefined);
});

Deno.test("a deletion that died between the archive and the store is finished by others", async () => {
  const { clock, hot, open } = setUp();
  await using engine = open();
  const dying = open({
    shortTermStore: interrupted(hot, async (method) => {
      if (method === "deleteTask") await new Promise(() => {});
    }),
  });
  await clock.pass(0); // It has searched for work of others, and found nothing to archive.
  await fill(engine, "t", 2);
  void dying.deleteTask("t");
  await clock.pass(DELAY_MS);
  assert.equal(await hot.getTask("t"), undefined);
});

Deno.test("lists are the same whether tasks are hot or archived", async () => {
  const { clock, hot, open } = setUp();
  await using engine = open();
  const pages = async (query: object) => {
    const ids: string[] = [];
    let cursor: string | undefined;
    for (;;) {
      const page = await engine.listTasks({ ...query, limit: 3, cursor });
      ids.push(...page.tasks.map(({ id, status }) => `${id} ${status}`));
      cursor = page.nextCursor;
      if (cursor === undefined) return ids;
    }
  };
  for (let i = 0; i < 30; i++) {
    const id = `t${String(i).padStart(2, "0")}`;
    await engine.createTask({ id, tags: [`tag${i % 2}`], type: i % 3 ? "a.x" : "b" });
    if (i % 4 === 0) await engine.transitionTask(id, "completed");
    if (i % 3 === 0) await clock.pass(20_000);
  }
  // Some are released, some archived as they were earlier, and some are not archived at all.
  for (let i = 1; i < 30; i += 4) {
    await engine.transitionTask(`t${String(i).padStart(2, "0")}`, "failed");
  }
  const gone = await Promise.all(
    Array.from({ length: 30 }, (_, i) => hot.getTask(`t${String(i).padStart(2, "0")}`)),
  );
  const released = gone.filter((head) => head === undefined).length;
  assert(released > 2 && released < 28, `${released}`);
  const all = await pages({});
  assert.deepEqual(
    all.map((line) => line.split(" ")[0]),
    Array.from({ length: 30 }, (_, i) => `t${String(29 - i).padStart(2, "0")}`),
  );
  for (const status of ["completed", "failed", "pending"]) {
    assert.deepEqual(
      await pages({ status: [status] }),
      all.filter((line) => line.endsWith(status)),
      status,
    );
  }
  const numberOf = (line: string) => Number(line.slice(1, 3));
  assert.deepEqual(
    await pages({ tag: "tag1", types: ["a.*"] }),
    all.filter((line) => numberOf(line) % 2 === 1 && numberOf(line) % 3 !== 0),
  );
});

Deno.test("a full memory store gives up only what the archive has", async () => {
  const { clock, cold, open } = setUp();
  let away = true;
  const hot = new MemoryShortTermStore({ maxBytes: 40_000 });
  const longTermStore = interrupted(cold, () => {
    if (away) throw new TaskcastError("STORE_UNAVAILABLE", "the archive is away");
  });
  await using engine = open({ shortTermStore: hot, longTermStore });
  const data = "x".repeat(1_000);
  const ids: string[] = [];
  await assert.rejects(async () => {
    for (;;) {
      const { id } = await engine.createTask();
      await engine.publishEvent(id, { type: "n", data });
      await engine.transitionTask(id, "completed");
      ids.push(id);
    }
  }, { code: "STORE_FULL" });
  away = false;
  await clock.pass(20_000);
  await engine.createTask();
  for (const id of ids) assert.equal((await engine.getEvents(id)).events.length, 2);
});

Deno.test("tasks that are older than the archive are archived, too", async () => {
  const { clock, hot, cold, open } = setUp();
  {
    await using engine = open({ longTermStore: undefined });
    for (let i = 0; i < 250; i++) {
      const { id } = await engine.createTask();
      await engine.publishEvent(id, { type: "n", data: i });
      if (i % 2) await engine.transitionTask(id, "completed");
    }
  }
  await using engine = open();
  await clock.pass(DELAY_MS);
  const { tasks } = await hot.listTasks({ limit: 500 });
  assert.equal(tasks.length, 250);
  for (const { task: { id } } of tasks) {
    assert.deepEqual(await cold.getTask(id), await hot.getTask(id));
  }
  await clock.pass(RETENTION_MS);
  assert.equal(engine.stats.tasksReleased, 125);
});

Deno.test("a restored short-term store does not overwrite what is archived", async () => {
  // Afterwards the log is shorter than in the archive, as long, or longer.
  for (const later of [0, 2, 5]) {
    const { clock, hot, cold, errors, open } = setUp();
    const first = open();
    await first.createTask({ id: "t" });
    await first.publishEvent("t", { type: "n", data: "A" });
    const backup = { head: (await hot.getTask("t"))!, log: (await everyEvent(hot, "t"))! };
    for (const data of ["B", "C"]) await first.publishEvent("t", { type: "n", data });
    await clock.pass(DELAY_MS);
    assert.equal((await cold.getTask("t"))?.length, 3);
    await first.close();

    const restored = new MemoryShortTermStore();
    await restored.commit({
      taskId: "t",
      expect: "absent",
      record: backup.head.record,
      events: backup.log.map(draftOfStored),
      nowMs: clock.now(),
      maxEvents: 100,
      maxBytes: 10_000,
    });
    const second = open({ shortTermStore: restored });
    for (let i = 0; i < later; i++) await second.publishEvent("t", { type: "n", data: i });
    await second.transitionTask("t", "completed");
    await clock.pass(DELAY_MS);
    await clock.pass(10 * RETENTION_MS);
    assert.match(String(errors[0]), /the archive has events that the short-term store lost/);
    const data = (await second.getEvents("t", { filter: { types: ["n"] } })).events
      .map((event) => event.data);
    assert.deepEqual(data, ["A", ...Array.from({ length: later }, (_, i) => i)]);
    assert.equal((await cold.getTask("t"))?.length, 3, "what was archived is left as it is");
    await second.close();
  }
});

Deno.test("a log that is shorter than its head says is reported, and other tasks are archived", async () => {
  const { clock, hot, cold, errors, open } = setUp();
  const engine = open({
    shortTermStore: new Proxy(hot, {
      get(target, name) {
        const method = Reflect.get(target, name, target);
        if (name !== "readLog") return typeof method === "function" ? method.bind(target) : method;
        return async (...args: Parameters<ShortTermStore["readLog"]>) => {
          const page = await target.readLog(...args);
          return page && args[0] === "torn" ? { ...page, events: [] } : page;
        };
      },
    }),
  });
  for (const id of ["torn", "whole"]) {
    await engine.createTask({ id });
    await engine.publishEvent(id, { type: "n", data: 1 });
  }
  await clock.pass(DELAY_MS);
  assert.equal((await cold.getTask("whole"))?.length, 1);
  assert.match(String(errors[0]), /"torn".*its log ends before its head says/);
  assert.equal((await cold.getTask("torn"))?.length ?? 0, 0);
  await engine.close();
});

Deno.test("a task of which the archive takes nothing is reported, and not written repeatedly", async () => {
  const { clock, hot, cold, errors, open } = setUp();
  let writes = 0;
  const longTermStore: LongTermStore = new Proxy(cold, {
    get(target, name) {
      const method = Reflect.get(target, name, target);
      if (typeof method !== "function") return method;
      if (name !== "archive") return method.bind(target);
      return async (parts: Parameters<LongTermStore["archive"]>[0]) => {
        writes++;
        // As if its first events were gone.
        return await target.archive(
          parts.map((part) => part.record.task.id === "holed" ? { ...part, events: [] } : part),
        );
      };
    },
  });
  const engine = open({ longTermStore });
  for (const id of ["holed", "whole"]) {
    await engine.createTask({ id });
    await engine.publishEvent(id, { type: "n", data: 1 });
  }
  await clock.pass(60_000);
  assert.deepEqual(await everyEvent(cold, "whole"), await everyEvent(hot, "whole"));
  assert.match(String(errors[0]), /"holed".*takes nothing of what comes next/);
  assert(writes < 20 && errors.length < 10, `${writes} writes, ${errors.length} errors`);
  assert.equal((await hot.getTask("holed"))?.length, 1);
  await engine.close();
});

Deno.test("a deletion that is slow between its steps does not delete the next incarnation", async () => {
  const { clock, hot, open } = setUp();
  const others = open();
  let between = async () => {};
  const slow = open({
    shortTermStore: interrupted(hot, async (method) => {
      if (method === "deleteTask") await between();
    }),
  });
  await slow.createTask({ id: "t" });
  await clock.pass(DELAY_MS);
  between = async () => {
    between = async () => {};
    await others.publishEvent("t", { type: "n", data: 1 });
    await clock.pass(DELAY_MS);
    assert.equal(await hot.getTask("t"), undefined, "others finished the deletion");
    await others.createTask({ id: "t" });
  };
  await slow.deleteTask("t");
  assert.equal((await others.getTask("t"))?.status, "pending");
  await others.publishEvent("t", { type: "n", data: "new" });
  await others.transitionTask("t", "completed");
  await slow.close();
  await others.close();
});

Deno.test("writes to the archive are full, and each task is in as few of them as its events need", async () => {
  const { clock, cold, errors, open } = setUp();
  const [tasks, each, archiveBatch] = [32, 30, 100];
  const writes: { tasks: number; events: number }[] = [];
  const longTermStore: LongTermStore = new Proxy(cold, {
    get(target, name) {
      const method = Reflect.get(target, name, target);
      if (typeof method !== "function") return method;
      return (...args: Parameters<LongTermStore["archive"]>) => {
        if (name === "archive") {
          const [parts] = args;
          const events = parts.reduce((sum, part) => sum + part.events.length, 0);
          writes.push({ tasks: parts.length, events });
        }
        return method.apply(target, args);
      };
    },
  });
  await using engine = open({
    longTermStore,
    options: { archiveDelayMs: DELAY_MS, hotRetentionMs: RETENTION_MS, archiveBatch },
  });
  for (let n = 0; n < tasks; n++) {
    await engine.createTask({ id: `t${n}` });
    const events = Array.from({ length: each }, (_, data) => ({ type: "step", data }));
    await engine.publishEvents(`t${n}`, events);
  }
  await clock.pass(DELAY_MS);
  assert.equal(engine.stats.eventsArchived, tasks * each);
  assert(writes.every(({ events }) => events <= archiveBatch));
  // The first task may be read before the others exist, and the last write takes what is left.
  const fewest = Math.ceil(tasks * each / archiveBatch);
  assert(writes.length <= fewest + 1, `${writes.length} writes`);
  const full = writes.slice(1, -1);
  assert(full.length >= fewest - 2 && full.every(({ events }) => events === archiveBatch));
  // Each write may cut one task in two.
  const parts = writes.reduce((sum, write) => sum + write.tasks, 0);
  assert(parts < tasks + writes.length, `${parts} parts of ${tasks} tasks`);
  assert.deepEqual(errors, []);
});
