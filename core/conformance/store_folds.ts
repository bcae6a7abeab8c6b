import assert from "node:assert/strict";
import type { SeriesFold } from "../contracts/records.ts";
import type { FoldQuery } from "../contracts/task_reader.ts";
import type { ShortTermStore } from "../contracts/short_term_store.ts";
import { append, create, delta, draft } from "./store_fixtures.ts";
import type { Check } from "./suite.ts";

/** Reads folds to the end of a query, page by page. */
async function pages(
  store: ShortTermStore,
  query: Omit<FoldQuery, "after"> & { after?: number },
): Promise<{ folds: SeriesFold[]; sizes: number[] }> {
  const folds: SeriesFold[] = [];
  const sizes: number[] = [];
  for (let after = query.after ?? -1;;) {
    const page = (await store.readFolds("t", { ...query, after }))!;
    folds.push(...page.folds);
    sizes.push(page.folds.length);
    const end = Math.max(query.after ?? -1, Math.min(query.through ?? Infinity, page.length - 1));
    if (page.scannedTo >= end) {
      assert.equal(page.scannedTo, end);
      return { folds, sizes };
    }
    assert(page.scannedTo > after, "a page that is not the last goes on");
    after = page.scannedTo;
  }
}

const text = (name: string, size: number) => name.repeat(size);

/** Checks of folds: read in pages, ordered by newest event, each page consistent. */
export const FOLD_CHECKS: readonly Check<ShortTermStore>[] = [
  {
    title: "readFolds() returns only series that grew after an index, with the head of that moment",
    async run(store) {
      await create(store, "t");
      await append(store, "t", delta("a"), delta("b", { seriesId: "other" }), draft());
      await append(store, "t", delta("c"));
      const ids = async (query: FoldQuery) =>
        (await store.readFolds("t", query))?.folds.map(({ seriesId }) => seriesId);
      assert.deepEqual(await ids({ after: 0, limit: 9 }), ["other", "answer"]);
      assert.deepEqual(await ids({ after: 1, limit: 9 }), ["answer"]);
      assert.deepEqual(await ids({ after: 3, limit: 9 }), []);
      assert.deepEqual(await ids({ after: 9, limit: 9 }), []);
      const page = await store.readFolds("t", { after: 1, limit: 9 });
      assert.equal(page?.folds[0]?.text, "ac");
      assert.equal(page?.length, 4);
      assert.equal(page?.scannedTo, 3);
      assert.equal(page?.status, "pending");
    },
  },
  {
    title: "readFolds() returns each series once, by its newest event, in pages of any size",
    async run(store) {
      await create(store, "t");
      const series = (i: number) =>
        i % 3 === 0
          ? draft(i, { seriesId: `s${i % 14}`, seriesMode: "latest" })
          : delta(`${i};`, { seriesId: `a${i % 11}` });
      await append(
        store,
        "t",
        draft("first"),
        ...Array.from({ length: 60 }, (_, i) => series(i)),
        draft("kept", { seriesId: "k", seriesMode: "keep-all" }),
      );
      const whole = (await pages(store, { limit: 99 })).folds;
      const indexes = whole.map(({ newest }) => newest.index);
      assert.deepEqual(indexes, indexes.toSorted((a, b) => a - b));
      assert.equal(new Set(whole.map(({ seriesId }) => seriesId)).size, whole.length);
      for (const limit of [1, 2, 7, whole.length, whole.length + 1]) {
        const { folds, sizes } = await pages(store, { limit });
        assert.deepEqual(folds, whole);
        assert.equal(sizes.length, Math.ceil(whole.length / limit), `pages of ${limit}`);
      }
      const through = indexes[8]!;
      assert.deepEqual((await pages(store, { limit: 3, through })).folds, whole.slice(0, 9));
      const after = indexes[4]!;
      const part = await pages(store, { limit: 3, after, through: indexes[10]! - 1 });
      assert.deepEqual(part.folds, whole.slice(5, 10));
      assert.deepEqual((await pages(store, { limit: 3, after: 60, through: 20 })).folds, []);
    },
  },
  {
    title:
      "readFolds() ends a page with the text that fills it, and the page with the last fold is the last",
    async run(store) {
      await create(store, "t");
      for (const name of ["a", "b", "c", "d"]) {
        for (let i = 0; i < 3; i++) {
          await append(store, "t", delta(text(name, 10_000), { seriesId: name }));
        }
      }
      await append(store, "t", draft("last"));
      const of = async (maxBytes: number) => (await pages(store, { limit: 9, maxBytes })).sizes;
      assert.deepEqual(await of(1), [1, 1, 1, 1]);
      assert.deepEqual(await of(20_000), [1, 1, 1, 1]);
      assert.deepEqual(await of(60_000), [2, 2]);
      assert.deepEqual(await of(1_000_000), [4]);
      const { folds } = await pages(store, { limit: 9, maxBytes: 1 });
      assert.deepEqual(
        folds.map((fold) => fold.text),
        [..."abcd"].map((name) => text(name, 30_000)),
      );
      const heads = await pages(store, { limit: 9, texts: false });
      assert.deepEqual(heads.sizes, [4]);
      assert.deepEqual(
        heads.folds.map(({ text: _, ...rest }) => rest),
        folds.map((fold) => {
          const { text: _, ...rest } = fold;
          return rest;
        }),
      );
      assert(heads.folds.every((fold) => fold.text === undefined));
    },
  },
  {
    title: "readFolds() returns one series by its id, and nothing for an unknown id",
    async run(store) {
      await create(store, "t");
      await append(
        store,
        "t",
        delta("a"),
        delta("b", { seriesId: "other" }),
        draft("k", { seriesId: "kept", seriesMode: "keep-all" }),
        delta("c"),
      );
      const one = async (seriesId: string, query: Partial<FoldQuery> = {}) =>
        (await store.readFolds("t", { after: -1, limit: 1, seriesId, ...query }))!.folds
          .map(({ newest, text }) => [newest.index, text]);
      assert.deepEqual(await one("other"), [[1, "b"]]);
      assert.deepEqual(await one("answer"), [[3, "ac"]]);
      assert.deepEqual(await one("answer", { texts: false }), [[3, undefined]]);
      assert.deepEqual(await one("other", { after: 1 }), []);
      assert.deepEqual(await one("answer", { through: 2 }), []);
      assert.deepEqual(await one("kept"), []);
      assert.deepEqual(await one("nobody"), []);
    },
  },
  {
    title: "pages of folds lose no series that grows while they are read",
    async run(store) {
      await create(store, "t");
      const names = Array.from({ length: 9 }, (_, i) => `s${i}`);
      await append(store, "t", ...names.map((seriesId) => delta("x", { seriesId })));
      let writing = true;
      const writer = (async () => {
        for (let i = 0; i < 40; i++) {
          await append(store, "t", delta("y", { seriesId: names[(i * 4) % 9]! }), draft(i));
          await new Promise((resolve) => setTimeout(resolve, 0));
        }
        writing = false;
      })();
      do {
        const seen = new Map<string, number>();
        for (let after = -1;;) {
          const page = (await store.readFolds("t", { after, limit: 2 }))!;
          for (const { seriesId, newest, text } of page.folds) {
            assert(newest.index > after && newest.index <= page.scannedTo);
            assert(text!.startsWith("xy".slice(0, text!.length)));
            seen.set(seriesId, newest.index);
          }
          assert(page.scannedTo < page.length);
          after = page.scannedTo;
          // At the end of the log of that moment, no fold has been missed.
          if (after === page.length - 1) break;
          await new Promise((resolve) => setTimeout(resolve, 0));
        }
        assert.equal(seen.size, 9);
      } while (writing);
      await writer;
    },
  },
];
