import assert from "node:assert/strict";
import type { StoredEvent } from "../contracts/records.ts";
import type { ShortTermStore } from "../contracts/short_term_store.ts";
import type { LogQuery } from "../contracts/task_reader.ts";
import type { EventFilter } from "../protocol/event.ts";
import { append, create, delta, draft, INCARNATION, log, replace } from "./store_fixtures.ts";
import type { Check } from "./suite.ts";

/** Filters that make a store find events in each of its ways. */
const SELECTIONS: readonly Pick<LogQuery, "filter" | "standalone" | "backward">[] = [
  {},
  { standalone: true },
  { backward: true },
  { filter: { types: ["odd"] } satisfies EventFilter },
  { filter: { types: ["odd"] }, standalone: true, backward: true },
  { filter: { types: ["nothing"] } },
];

/** Events of two types in turn, some of them in series. */
async function fill(store: ShortTermStore, length: number): Promise<StoredEvent[]> {
  await create(store, "t");
  const drafts = Array.from({ length }, (_, i) => {
    const type = i % 2 ? "odd" : "even";
    return i % 3 === 0 ? delta(`${i};`, { type }) : draft(i, { type });
  });
  await append(store, "t", ...drafts);
  return await log(store, "t");
}

/** Checks of divergence: a log of a restored store is recognised by the entropy of an event. */
export const DIVERGENCE_CHECKS: readonly Check<ShortTermStore>[] = [
  {
    title: "readLog() continues from an event only if the log has that event",
    async run(store) {
      const all = await fill(store, 50);
      for (const selection of SELECTIONS) {
        for (const after of [-1, 0, 1, 6, 30, 48, 49]) {
          for (const limit of [1, 100]) {
            const query: LogQuery = { ...selection, after, limit };
            const expected = await store.readLog("t", query);
            const afterEntropy = all[after]?.entropy ?? 7;
            assert.deepEqual(await store.readLog("t", { ...query, afterEntropy }), expected);
            if (after === -1) continue;
            const other = await store.readLog("t", { ...query, afterEntropy: afterEntropy + 1 });
            const { length, incarnation, status } = expected!;
            const state = { length, incarnation, status };
            const diverged = { events: [], scannedTo: after, ...state, diverged: true };
            assert.deepEqual(other, diverged, JSON.stringify(query));
          }
        }
        const ahead = { ...selection, after: 50, limit: 5, afterEntropy: all[49]!.entropy };
        assert.equal((await store.readLog("t", ahead))?.diverged, true);
        assert.equal((await store.readLog("t", { ...ahead, after: 5_000 }))?.diverged, true);
      }
      assert.equal(
        await store.readLog("absent", { after: 3, limit: 1, afterEntropy: 3 }),
        undefined,
      );
    },
  },
  {
    title: "pages, folds and heads have the entropy from which a reader continues",
    async run(store) {
      await create(store, "empty");
      assert.equal((await store.readLog("empty", { after: -1, limit: 5 }))?.entropy, undefined);
      assert.equal((await store.readFolds("empty", { after: -1, limit: 9 }))?.entropy, undefined);
      const all = await fill(store, 50);
      for (const selection of SELECTIONS) {
        for (const after of [-1, 0, 20, 49]) {
          for (const through of [undefined, 30, 70]) {
            for (const limit of [1, 4, 100]) {
              const query: LogQuery = { ...selection, after, through, limit };
              const page = (await store.readLog("t", query))!;
              const entropy = selection.backward ? undefined : all[page.scannedTo]!.entropy;
              assert.equal(page.entropy, entropy, JSON.stringify(query));
            }
          }
        }
      }
      assert.equal(
        (await store.readFolds("t", { after: -1, limit: 1 }))?.entropy,
        all[49]!.entropy,
      );
      for (const at of [0, 7, 49]) {
        assert.equal((await store.getTask("t", at))?.entropy, all[at]!.entropy);
      }
      for (const at of [undefined, -1, 50, 2 ** 40]) {
        const head = (await store.getTask("t", at))!;
        assert.equal(head.entropy, undefined);
        assert.equal(head.length, 50);
      }
    },
  },
  {
    title: "readLog() continues from a trimmed event, whose entropy is unknown",
    async run(store) {
      await fill(store, 20);
      assert((await replace(store, "t", { status: "completed" }, { events: [draft("end")] })).ok);
      await store.trimLog("t", INCARNATION, { indexes: [4, 5, 6, 8], series: [] });
      for (const standalone of [false, true]) {
        const query: LogQuery = { after: 5, limit: 100, standalone };
        const page = await store.readLog("t", query);
        assert.deepEqual(await store.readLog("t", { ...query, afterEntropy: 1 }), page);
        assert.equal(
          (await store.readLog("t", { after: 2, through: 5, limit: 9 }))?.entropy,
          undefined,
        );
      }
      assert.equal((await store.getTask("t", 5))?.entropy, undefined);
      assert.equal(
        (await store.readLog("t", { after: 7, limit: 9, afterEntropy: 1 }))?.diverged,
        true,
      );
    },
  },
];

/**
 * The same checks for a store with an incarnation that was restored; they also need a writable
 * store.
 */
export const RESTORED_CHECKS: readonly Check<ShortTermStore>[] = [
  {
    title: "a log that replaces another is recognised at once, whether shorter or longer",
    async run(store) {
      const before = await fill(store, 30);
      const at = (after: number): LogQuery => ({
        after,
        limit: 100,
        afterEntropy: before[after]!.entropy,
      });
      assert.equal((await store.readLog("t", at(29)))?.diverged, undefined);
      await store.deleteTask("t");
      for (const length of [10, 30, 45]) {
        await fill(store, length);
        for (const after of [9, 29]) {
          assert.equal((await store.readLog("t", at(after)))?.diverged, true);
        }
        await store.deleteTask("t");
      }
    },
  },
];
