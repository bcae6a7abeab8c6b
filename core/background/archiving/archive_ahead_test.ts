import assert from "node:assert/strict";
import { TaskcastError } from "../../protocol/errors.ts";
import type { ShortTermStore } from "../../contracts/short_term_store.ts";
import { DELAY_MS, RETENTION_MS, setUp } from "../../../testing/databases/archive_setup.ts";
import { restorableStore } from "../../../testing/databases/restorable_store.ts";

/** A store that can be made unreachable, and restored. */
function fallible() {
  const store = restorableStore();
  const state = { isAway: false, interruptions: 0 };
  const shortTermStore = new Proxy<ShortTermStore>(store, {
    get(target, name) {
      if (name === "interruptions") return state.interruptions;
      const method = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      return (...args: unknown[]) => {
        if (state.isAway) return Promise.reject(new TaskcastError("STORE_UNAVAILABLE", "away"));
        return method(...args);
      };
    },
  });
  return { store, state, shortTermStore };
}

Deno.test("a task whose end a restored short-term store lost is served from the archive, and ends once", async () => {
  for (const how of ["engine restarted", "store away", "store away for a moment"]) {
    const isRestarted = how === "engine restarted";
    const { clock, errors, open } = setUp();
    const { store, state, shortTermStore } = fallible();
    let engine = open({ shortTermStore });
    await engine.createTask({ id: "t" });
    await engine.createTask({ id: "untouched" });
    await engine.publishEvent("t", { type: "n", data: "A" });
    await clock.pass(DELAY_MS);
    const saved = store.changes;
    await engine.publishEvent("t", { type: "n", data: "B" });
    await engine.transitionTask("t", "completed", { result: { n: 1 } });
    await clock.pass(DELAY_MS);
    const before = [await engine.getTask("t"), (await engine.getEvents("t")).events];
    if (isRestarted) await engine.close();
    state.isAway = how === "store away";
    await clock.pass(5_000);
    await store.restore(saved);
    state.isAway = false;
    // No call failed.
    if (how === "store away for a moment") state.interruptions++;
    if (isRestarted) engine = open({ shortTermStore });
    assert.equal((await store.getTask("t"))?.record.task.status, "pending");
    await clock.pass(10_000);
    const after = [await engine.getTask("t"), (await engine.getEvents("t")).events];
    assert.deepEqual(after, before, how);
    assert.equal(engine.stats.tasksOvertaken, 1);
    const reports = errors.filter((error) => /served from the archive/.test(String(error)));
    assert.equal(reports.length, 1);
    await engine.publishEvent("untouched", { type: "n", data: 1 });
    await assert.rejects(engine.publishEvent("t", { type: "n", data: 1 }), { code: /TASK_/ });
    await clock.pass(RETENTION_MS);
    assert.equal(engine.stats.tasksOvertaken, 1);
    await engine.close();
  }
});

Deno.test("a hot copy with events that the archive lacks is never released", async () => {
  const { clock, open } = setUp();
  const { store, shortTermStore } = fallible();
  const first = open({ shortTermStore });
  await first.createTask({ id: "t" });
  await clock.pass(DELAY_MS);
  const saved = store.changes;
  for (const data of ["A", "B"]) await first.publishEvent("t", { type: "n", data });
  await first.transitionTask("t", "completed");
  await clock.pass(DELAY_MS);
  await first.close();
  await store.restore(saved);
  const second = open({ shortTermStore });
  await second.publishEvent("t", { type: "n", data: "new" });
  await clock.pass(10_000);
  assert.equal(second.stats.tasksOvertaken, 0);
  const { events } = await second.getEvents("t");
  assert.deepEqual(events.map(({ data }) => data), ["new"]);
  await second.close();
});
