import assert from "node:assert/strict";
import type { ShortTermStore } from "../contracts/short_term_store.ts";
import type { LogQuery } from "../contracts/task_reader.ts";
import {
  append,
  assertRefused,
  commit,
  create,
  delta,
  draft,
  INCARNATION,
  log,
  replace,
} from "./store_fixtures.ts";
import type { Check } from "./suite.ts";

/** Ends a task with a status event. */
async function end(store: ShortTermStore, taskId: string): Promise<void> {
  const events = [draft("end", { type: "taskcast:status" })];
  assert((await replace(store, taskId, { status: "completed" }, { events })).ok);
}

async function indexes(
  store: ShortTermStore,
  taskId: string,
  query: Partial<LogQuery> = {},
): Promise<number[]> {
  const page = await store.readLog(taskId, { after: -1, limit: 1_000, ...query });
  return page!.events.map(({ index }) => index);
}

/** Creates an ended task with 40 events of two types in turn. */
async function createEnded(store: ShortTermStore): Promise<void> {
  await create(store, "t");
  const drafts = Array.from({ length: 40 }, (_, i) => draft(i, { type: i % 2 ? "odd" : "even" }));
  await append(store, "t", ...drafts);
  await end(store, "t");
}

function range(from: number, to: number, step = 1): number[] {
  return Array.from({ length: Math.ceil((to - from) / step) }, (_, i) => from + i * step);
}

/** Checks of reads from trimmed logs. */
export const TRIM_CHECKS: readonly Check<ShortTermStore>[] = [
  {
    title: "trimLog() removes events and leaves the indexes of the others",
    async run(store) {
      await createEnded(store);
      const before = await log(store, "t");
      assert.equal((await store.getTask("t"))!.trimmedThrough, undefined);
      const gone = [0, 1, 2, 9, 11, 13, ...range(20, 30)];
      assert.equal(
        await store.trimLog("t", INCARNATION, { indexes: gone, series: [] }),
        gone.length,
      );
      const left = before.filter(({ index }) => !gone.includes(index));
      assert.deepEqual(await log(store, "t"), left);
      const { length, trimmedThrough, record } = (await store.getTask("t"))!;
      assert.equal(length, 41);
      assert.equal(trimmedThrough, 29);
      assert.equal(record.version, 2, "no commit");
    },
  },
  {
    title: "trimLog() may be repeated, and does nothing for an absent task",
    async run(store) {
      await createEnded(store);
      const trim = { indexes: [3, 5], series: ["none"] };
      assert.equal(await store.trimLog("absent", INCARNATION, trim), 0);
      assert.equal(await store.trimLog("t", "another0", trim), 0);
      assert.equal((await log(store, "t")).length, 41);
      assert.equal(await store.trimLog("t", INCARNATION, { indexes: [], series: [] }), 0);
      const counts = await Promise.all([
        store.trimLog("t", INCARNATION, trim),
        store.trimLog("t", INCARNATION, trim),
        store.trimLog("t", INCARNATION, { indexes: [5, 7], series: [] }),
      ]);
      assert.equal(counts.reduce((sum, count) => sum + count, 0), 3);
      assert.equal(await store.trimLog("t", INCARNATION, trim), 0);
      assert.equal((await store.getTask("t"))!.trimmedThrough, 7);
    },
  },
  {
    title: "reads skip trimmed events, forward and backward, by filter and in pages",
    async run(store) {
      await createEnded(store);
      const gone = [...range(0, 12), ...range(13, 39, 2), 38];
      await store.trimLog("t", INCARNATION, { indexes: gone, series: [] });
      const left = range(0, 41).filter((index) => !gone.includes(index));
      assert.deepEqual(await indexes(store, "t"), left);
      assert.deepEqual(await indexes(store, "t", { standalone: true }), left);
      assert.deepEqual(await indexes(store, "t", { backward: true }), left.toReversed());
      const odd = { types: ["odd"] };
      assert.deepEqual(await indexes(store, "t", { filter: odd }), [39]);
      assert.deepEqual(await indexes(store, "t", { filter: odd, backward: true }), [39]);
      for (const backward of [false, true]) {
        const seen: number[] = [];
        const query = { limit: 3, backward };
        for (let at = backward ? 40 : -1, rounds = 0; rounds < 20; rounds++) {
          const place = backward ? { after: -1, through: at } : { after: at };
          const page = (await store.readLog("t", { ...query, ...place }))!;
          seen.push(...page.events.map(({ index }) => index));
          assert.equal(page.length, 41);
          if (backward ? page.scannedTo === 0 : page.scannedTo === 40) break;
          assert(page.events.length > 0, "a page that is not the last has events");
          at = backward ? page.scannedTo - 1 : page.scannedTo;
        }
        assert.deepEqual(seen, backward ? left.toReversed() : left);
      }
      assert.deepEqual(await indexes(store, "t", { after: 1, limit: 2 }), [12, 14]);
      assert.deepEqual(await indexes(store, "t", { after: 1, through: 13, limit: 2 }), [12]);
      assert.deepEqual(await indexes(store, "t", { after: 1, limit: 9, maxBytes: 3 }), [12, 14]);
    },
  },
  {
    title: "countMatches() includes trimmed events",
    async run(store) {
      await createEnded(store);
      const filters = [{ types: ["odd"] }, { types: ["even", "taskcast:status"] }, {}];
      const at = [...range(12, 38, 4), 39, 40, 41];
      const counts = async () =>
        await Promise.all(filters.map((filter) => store.countMatches("t", filter, at)));
      const before = await counts();
      const kept = new Set(at);
      const gone = range(0, 40).filter((index) => !kept.has(index));
      // First some events, then their neighbours, then all but those that the query matches.
      await store.trimLog("t", INCARNATION, { indexes: [13, 15, 33], series: [] });
      assert.deepEqual(await counts(), before);
      await store.trimLog("t", INCARNATION, { indexes: gone.slice(0, 15), series: [] });
      assert.deepEqual(await counts(), before);
      await store.trimLog("t", INCARNATION, { indexes: gone, series: [] });
      assert.deepEqual(await counts(), before);
      assert.deepEqual(await indexes(store, "t"), at.slice(0, -1));
      await store.trimLog("t", INCARNATION, { indexes: range(0, 40), series: [] });
      assert.deepEqual(await indexes(store, "t"), [40]);
      assert.deepEqual(await store.countMatches("t", filters[0]!, [40, 41]), [20, 20]);
      assert.deepEqual(await store.countMatches("t", filters[1]!, [40, 41]), [20, 21]);
    },
  },
  {
    title: "trimLog() removes a series with its last events, and the others stay whole",
    async run(store) {
      await create(store, "t");
      for (let i = 0; i < 6; i++) {
        await append(
          store,
          "t",
          delta(`a${i}`, { seriesId: "a" }),
          delta(`b${i}`, { seriesId: "b" }),
          draft(i, { seriesId: "c", seriesMode: "latest" }),
        );
      }
      await end(store, "t");
      const of = (place: number) => range(place, 18, 3);
      await store.trimLog("t", INCARNATION, { indexes: of(0).slice(0, 3), series: [] });
      const folds = async () => {
        const page = (await store.readFolds("t", { after: -1, limit: 9 }))!;
        return Object.fromEntries(
          page.folds.map(({ seriesId, text, newest }) => [seriesId, text ?? newest.data]),
        );
      };
      const [a, b] = ["a", "b"].map((name) => range(0, 6).map((i) => `${name}${i}`).join(""));
      assert.deepEqual(await folds(), { a, b, c: "5" });
      const rest = [...of(0), ...of(2)].toSorted((x, y) => x - y);
      assert.equal(await store.trimLog("t", INCARNATION, { indexes: rest, series: ["a", "c"] }), 9);
      assert.deepEqual(await folds(), { b });
      const left = await log(store, "t");
      assert.deepEqual(left.map(({ index }) => index), [...of(1), 18]);
      assert.equal(left[2]!.data, JSON.stringify({ delta: "b2" }));
    },
  },
];

/** The same checks for stores that also take commits. */
export const TRIM_COMMIT_CHECKS: readonly Check<ShortTermStore>[] = [
  {
    title: "a commit that repeats a trimmed event is refused",
    async run(store) {
      await create(store, "t");
      const sent = (seq: number) => draft(seq, { producer: { id: "p", epoch: 0, seq } });
      await append(store, "t", sent(0), sent(1), sent(2));
      await end(store, "t");
      await store.trimLog("t", INCARNATION, { indexes: [1], series: [] });
      const repeat = (...seqs: number[]) =>
        commit(store, { taskId: "t", expect: "live", events: seqs.map(sent) });
      const refusal = { code: "TERMINAL", status: "completed" } as const;
      assertRefused(await repeat(1), refusal);
      assertRefused(await repeat(0, 1, 2), refusal);
      const kept = await repeat(2);
      assert(kept.ok && kept.events[0]!.index === 2);
    },
  },
  {
    title: "deleting a task forgets what was trimmed, so its id starts anew",
    async run(store) {
      await createEnded(store);
      await store.trimLog("t", INCARNATION, { indexes: range(0, 40, 3), series: [] });
      assert.equal(await store.deleteTask("t"), true);
      await create(store, "t");
      await append(store, "t", draft(1, { type: "odd" }), draft(2, { type: "even" }));
      assert.deepEqual(await store.countMatches("t", { types: ["even"] }, [2]), [1]);
      assert.deepEqual(await indexes(store, "t"), [0, 1]);
      assert.equal((await store.getTask("t"))!.trimmedThrough, undefined);
    },
  },
];
