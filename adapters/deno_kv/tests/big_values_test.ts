import assert from "node:assert/strict";
import type { EventDraft, ShortTermStore } from "@taskcast/core/adapter";
import { openObserved, openStore } from "../../../testing/databases/open_deno_kv.ts";
import { append, commitOf, create, draft, logOf } from "../../../testing/databases/store_steps.ts";

/** Returns a text of a given length, each part of which is distinguishable. */
function text(chars: number, letter = "ü"): string {
  return Array.from({ length: Math.ceil(chars / 8) }, (_, i) => `${i}${letter}`.padStart(8))
    .join("").slice(0, chars);
}

function deltaOf(delta: string): EventDraft {
  return {
    ...draft({ delta }),
    seriesId: "s",
    seriesMode: "accumulate",
    accField: "delta",
    delta,
  };
}

Deno.test("deno-kv: data, texts, records and notes of a mebibyte are kept as they are", async () => {
  const store = await openStore();
  try {
    const params = { text: text(1024 * 1024) };
    const record = await create(store, "t", { params });
    assert.deepEqual((await store.getTask("t"))?.record, record);
    assert.deepEqual((await store.listTasks({ limit: 2 })).tasks, [record]);
    const sizes = [1, 12_287, 12_288, 12_289, 30_720, 65_536, 1024 * 1024];
    let whole = "";
    for (const size of sizes) {
      const part = text(size);
      whole += part;
      const [stored] = await append(store, "t", deltaOf(part));
      assert.equal(JSON.parse(stored!.data).delta, part);
    }
    const log = await logOf(store, "t");
    assert.deepEqual(log.map(({ data }) => JSON.parse(data).delta.length), sizes);
    assert.equal(log.map(({ data }) => JSON.parse(data).delta).join(""), whole);
    const [fold] = (await store.readFolds("t", { after: -1, limit: 9_999 }))!.folds;
    assert.equal(fold!.text, whole);
    assert.deepEqual(fold!.newest, log.at(-1));
    assert(await store.writeNote("t", record.incarnation, "n", { from: undefined, to: whole }));
    assert.deepEqual(await store.readNotes("t", record.incarnation), { n: whole });
    assert(await store.writeNote("t", record.incarnation, "n", { from: whole, to: "short" }));
    assert.deepEqual(await store.readNotes("t", record.incarnation), { n: "short" });
  } finally {
    await store.close();
  }
});

Deno.test("deno-kv: replacing a text that has parts starts it afresh", async () => {
  const store = await openStore();
  try {
    await create(store, "t");
    await append(store, "t", deltaOf(text(5_000)), deltaOf(text(20_000)));
    await append(store, "t", { ...deltaOf(""), delta: undefined, data: '{"delta":7}' });
    assert.equal(
      (await store.readFolds("t", { after: -1, limit: 9_999 }))!.folds[0]!.text,
      undefined,
    );
    await append(store, "t", deltaOf("new "), deltaOf(text(3_000)));
    assert.equal(
      (await store.readFolds("t", { after: -1, limit: 9_999 }))!.folds[0]!.text,
      `new ${text(3_000)}`,
    );
  } finally {
    await store.close();
  }
});

/** Returns a batch too big for one atomic operation: many events of many kinds. */
function wideBatch(from = 0, count = 1_000): EventDraft[] {
  return Array.from({ length: count }, (_, i): EventDraft => ({
    ...draft({ delta: `${from + i};` }),
    type: `type${i % 300}`,
    seriesId: i % 2 ? "s" : `series${i}`,
    seriesMode: "accumulate",
    accField: "delta",
    delta: `${from + i};`,
    producer: { id: "p", epoch: 0, seq: from + i },
  }));
}

async function assertWhole(store: ShortTermStore, length: number): Promise<void> {
  const log = await logOf(store, "t");
  assert.deepEqual(log.map(({ index }) => index), log.map((_, i) => i));
  assert.deepEqual(log.map(({ data }) => JSON.parse(data).delta), log.map((_, i) => `${i};`));
  assert.equal(log.length, length);
  const view = (await store.readFolds("t", { after: -1, limit: 9_999 }))!;
  const odd = log.filter(({ seriesId }) => seriesId === "s");
  const text = view.folds.find(({ seriesId }) => seriesId === "s")?.text;
  assert.equal(text, odd.length === 0 ? undefined : odd.map(({ index }) => `${index};`).join(""));
  const counts = await store.countMatches("t", { types: ["type7", "type8"] }, [length]);
  const ofTypes = log.filter(({ type }) => type === "type7" || type === "type8");
  assert.deepEqual(counts, [ofTypes.length]);
}

Deno.test("deno-kv: a batch that is too large for one operation is stored as a whole or not at all", async () => {
  const { store, kv } = await openObserved();
  try {
    await create(store, "t");
    const lengths = new Set<number>();
    let reads = 0;
    kv.beforeCommit = async () => {
      if (reads++ % 3 !== 0) return;
      // Reads in the middle of a commit do not wait for it; here they would wait forever.
      const peek = store.getTask("t").then((head) => void lengths.add(head!.length));
      await Promise.race([peek, new Promise((resolve) => setTimeout(resolve, 5))]);
    };
    const result = await commitOf(store, { taskId: "t", expect: "live", events: wideBatch() });
    kv.beforeCommit = () => {};
    assert(result.ok);
    assert.equal(result.events.length, 1_000);
    assert.deepEqual([result.from, result.length], [0, 1_000]);
    assert.deepEqual(await logOf(store, "t"), result.events);
    await assertWhole(store, 1_000);
    for (const length of lengths) assert(length === 0 || length === 1_000, `${length}`);
    await append(store, "t", ...wideBatch(1_000, 3));
    await assertWhole(store, 1_003);
    const repeated = await append(store, "t", ...wideBatch(998, 6));
    assert.deepEqual(repeated.map(({ index }) => index), [998, 999, 1_000, 1_001, 1_002, 1_003]);
  } finally {
    await store.close();
  }
});

Deno.test("deno-kv: a process that dies within a large batch leaves all of it or nothing", async () => {
  // Fails after every number of steps in turn.
  let steps = Infinity;
  for (let last = 0; last < steps; last++) {
    const { store, kv } = await openObserved();
    try {
      await create(store, "t");
      await append(store, "t", ...wideBatch(0, 5));
      const events = wideBatch(5);
      events[500] = { ...events[500]!, data: JSON.stringify({ delta: "505;", more: text(2e6) }) };
      let isDead = false;
      let count = 0;
      kv.beforeCommit = () => {
        isDead ||= count++ === last;
        if (isDead) throw new TypeError("the process is dead");
      };
      const result = await commitOf(store, { taskId: "t", expect: "live", events }).catch(() =>
        undefined
      );
      kv.beforeCommit = () => {};
      if (result?.ok) steps = last;
      else assert.equal(isDead, true);
      const { length } = (await store.getTask("t"))!;
      assert(length === 5 || length === 1_005, `${length} events are there after step ${last}`);
      await assertWhole(store, length);
      // Sending it again finds it stored once.
      const again = await commitOf(store, { taskId: "t", expect: "live", events });
      assert(again.ok);
      await assertWhole(store, 1_005);
    } finally {
      await store.close();
    }
  }
  assert(steps > 5, `it takes ${steps} steps`);
});
