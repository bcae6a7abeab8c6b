import assert from "node:assert/strict";
import type { EventDraft, ShortTermStore } from "@taskcast/core/adapter";
import { MemoryShortTermStore } from "@taskcast/core";
import { openObserved } from "../../../testing/databases/open_deno_kv.ts";
import {
  append,
  commitOf,
  create,
  draft,
  INCARNATION,
  logOf,
  NOW,
} from "../../../testing/databases/store_steps.ts";

const EVENTS = 700;

/**
 * Returns an event; in all, there are 45 types, a third of the events has one of 35 series, and
 * every fiftieth has long data.
 */
function event(i: number): EventDraft {
  const filling = i % 50 === 0 ? "y".repeat(40_000) : "";
  const type = `t${i % 45}`;
  if (i % 3 !== 0) return draft({ i, filling }, { type });
  const delta = `${i};${filling}`;
  return draft({ delta }, {
    type,
    seriesId: `s${i % 35}`,
    seriesMode: "accumulate",
    accField: "delta",
    delta,
  });
}

async function fill(store: ShortTermStore): Promise<void> {
  await create(store, "t");
  for (let i = 0; i < EVENTS; i += 50) {
    await append(store, "t", ...Array.from({ length: 50 }, (_, n) => event(i + n)));
  }
  const record = {
    task: { id: "t", status: "completed", createdAt: NOW, updatedAt: NOW } as const,
    incarnation: INCARNATION,
    version: 2,
  };
  const expect = { version: 1, incarnation: INCARNATION };
  const events = [draft("end", { type: "end" })];
  assert((await commitOf(store, { taskId: "t", expect, record, due: {}, events })).ok);
}

/** Returns everything that can be read of the remaining log. */
async function read(store: ShortTermStore): Promise<unknown> {
  const log = await logOf(store, "t");
  const at = [...log.map(({ index }) => index), EVENTS + 1];
  const folds = (await store.readFolds("t", { after: -1, limit: 99 }))!.folds;
  return {
    log,
    head: await store.getTask("t"),
    one: await store.countMatches("t", { types: ["t7"] }, at),
    some: await store.countMatches("t", { types: ["t1*", "end"] }, at),
    filtered: await store.readLog("t", { after: 10, limit: 30, filter: { types: ["t2*"] } }),
    plain: await store.readLog("t", { after: 10, limit: 30, standalone: true, backward: true }),
    folds: folds.map(({ seriesId, text, newest }) => ({ seriesId, text, newest }))
      .toSorted((a, b) => a.seriesId < b.seriesId ? -1 : 1),
  };
}

Deno.test("deno-kv: after trims of any size all that is read is what the reference says", async () => {
  const { store, kv } = await openObserved();
  const reference = new MemoryShortTermStore();
  await Promise.all([fill(store), fill(reference)]);
  assert.deepEqual(await read(store), await read(reference));
  const range = (from: number, to: number, step = 1) =>
    Array.from({ length: Math.ceil((to - from) / step) }, (_, i) => from + i * step);
  const ofSeries = (id: number) => range(0, EVENTS, 3).filter((i) => i % 35 === id);
  const trims = [
    { indexes: [5, 6, 7, 50], series: [] },
    { indexes: range(100, 600, 2), series: [] },
    // All remaining events of one series, and the newest of others, whose folds stay.
    { indexes: [...ofSeries(0), 672, 675].toSorted((a, b) => a - b), series: ["s0"] },
    { indexes: range(40, 690, 3), series: [] },
    { indexes: range(1, 699), series: range(1, 35).map((i) => `s${i}`) },
  ];
  let commits = 0;
  for (const trim of trims) {
    let counts: number[] = [];
    const asked = await kv.counted(async () => {
      counts = await Promise.all(
        [store, reference].map((it) => it.trimLog("t", INCARNATION, trim)),
      );
    });
    commits += asked.commits;
    assert.equal(counts[0], counts[1]);
    assert.deepEqual(await read(store), await read(reference));
    assert.equal(await store.trimLog("t", INCARNATION, trim), 0);
  }
  assert(commits > trims.length, "some took several operations");
  await store.close();
});
