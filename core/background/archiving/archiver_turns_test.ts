import assert from "node:assert/strict";
import type { FakeClock } from "../../../testing/fake_clock.ts";
import type { LongTermStore } from "../../contracts/long_term_store.ts";
import {
  DELAY_MS,
  everyEvent,
  interrupted,
  setUp,
} from "../../../testing/databases/archive_setup.ts";

Deno.test("while events are published, archiving rests after each step four times as long as it took", async () => {
  const cases = [
    { slow: "archive", isPublishing: true, betweenMs: 100 },
    { slow: "readLog", isPublishing: true, betweenMs: 100 },
    { slow: "archive", isPublishing: false, betweenMs: 20 },
    { slow: "readLog", isPublishing: false, betweenMs: 20 },
  ];
  for (const { slow, isPublishing, betweenMs } of cases) {
    const { clock, hot, cold, open } = setUp();
    const starts: number[] = [];
    let isSlow = true;
    const before = async (method: string) => {
      if (!isSlow) return;
      if (method === "archive") {
        starts.push(clock.now());
        if (isPublishing) await engine.publishEvent("u", { type: "n", data: 0 });
      }
      if (method !== slow) return;
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, 20));
    };
    await using engine = open({
      shortTermStore: interrupted(hot, before),
      longTermStore: interrupted(cold, before),
    });
    await engine.createTask({ id: "u" });
    await clock.pass(2 * DELAY_MS);
    const dueMs = clock.now() + DELAY_MS;
    await engine.createTask({ id: "t" });
    const events = Array.from({ length: 20 }, (_, data) => ({ type: "n", data }));
    await engine.publishEvents("t", events);
    await clock.pass(DELAY_MS + 300); // At most seven events in each write.
    assert.equal((await everyEvent(cold, "t"))?.length, 20);
    const [first, ...more] = starts.filter((startMs) => startMs >= dueMs).slice(0, 3);
    assert.deepEqual(more, [1, 2].map((i) => first! + i * betweenMs), slow);
    isSlow = false;
    await clock.pass(1_000); // The work in progress ends, and then the engine.
  }
});

/** An archive whose writes take a given time, until the test ends that. */
function slowed(
  cold: LongTermStore,
  clock: FakeClock,
  ms: number,
  isOver: () => boolean = () => false,
): LongTermStore {
  return interrupted(cold, async (method) => {
    if (method !== "archive" || isOver()) return;
    await new Promise<void>((done) => void clock.setTimeout(done, ms));
  });
}

Deno.test("a backlog that takes longer than a claim is sent to the archive once, by any instance", async () => {
  const { clock, hot, cold, errors, open } = setUp();
  const engines = [open, open, open].map((one) => one({ longTermStore: slowed(cold, clock, 400) }));
  await engines[0]!.createTask({ id: "t" });
  const events = Array.from({ length: 400 }, (_, data) => ({ type: "n", data }));
  await engines[0]!.publishEvents("t", events);
  await clock.pass(40_000); // Seven events at a time: 23 s for all of them.
  assert.deepEqual(await everyEvent(cold, "t"), await everyEvent(hot, "t"));
  const archived = engines.reduce((sum, { stats }) => sum + stats.eventsArchived, 0);
  assert.equal(archived, 400);
  assert.deepEqual(errors, []);
  for (const engine of engines) await engine.close();
});

Deno.test("a backlog does not keep other tasks waiting, and the lag is that of the oldest", async () => {
  const { clock, hot, cold, open } = setUp();
  await using engine = open({ longTermStore: slowed(cold, clock, 400) });
  await engine.createTask({ id: "t" });
  const events = Array.from({ length: 400 }, (_, data) => ({ type: "n", data }));
  await engine.publishEvents("t", events);
  await clock.pass(1_000);
  await engine.createTask({ id: "u" });
  await engine.publishEvents("u", events.slice(0, 3));
  await clock.pass(8_000);
  assert.equal((await cold.getTask("u"))?.length, 3);
  assert((await cold.getTask("t"))!.length < 300);
  const { archiveLagMs } = engine.stats;
  assert(archiveLagMs > 8_000 && archiveLagMs <= 9_000, `${archiveLagMs}`);
  await clock.pass(20_000);
  assert.deepEqual(await everyEvent(cold, "t"), await everyEvent(hot, "t"));
  assert.equal(engine.stats.archiveLagMs, 0);
});

Deno.test("when more is published than the archive can take, each task gets a share", async () => {
  const { clock, cold, open } = setUp();
  let isOver = false;
  await using engine = open({ longTermStore: slowed(cold, clock, 400, () => isOver) });
  const ids = Array.from({ length: 100 }, (_, i) => `t${String(i).padStart(2, "0")}`);
  await Promise.all(ids.map((id) => engine.createTask({ id })));
  const events = Array.from({ length: 10 }, (_, data) => ({ type: "n", data }));
  for (let seconds = 0; seconds < 120; seconds += 5) {
    for (const id of ids) await engine.publishEvents(id, events);
    await clock.pass(5_000);
  }
  const lengths = await Promise.all(ids.map(async (id) => (await cold.getTask(id))?.length ?? 0));
  const { archiveLagMs } = engine.stats;
  isOver = true;
  await clock.pass(60_000);
  // Two writes of seven events a second, while two hundred events arrive.
  assert(Math.min(...lengths) > 0 && Math.max(...lengths) <= 35, lengths.join(" "));
  assert(archiveLagMs > 60_000, `${archiveLagMs}`);
  for (const id of ids) assert.equal((await cold.getTask(id))?.length, 240);
  assert.equal(engine.stats.archiveLagMs, 0);
});
