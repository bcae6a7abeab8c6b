import assert from "node:assert/strict";
import type { EventDraft, StoredEvent } from "../contracts/records.ts";
import type { ShortTermStore } from "../contracts/short_term_store.ts";
import type { LogQuery } from "../contracts/task_reader.ts";
import type { EventFilter } from "../protocol/event.ts";
import { compileFilter } from "../domain/filter.ts";
import { seededRandom } from "./seeded_random.ts";
import { append, create, delta, draft, INCARNATION, log, replace } from "./store_fixtures.ts";
import type { Check } from "./suite.ts";

const FILTERS: readonly (EventFilter | undefined)[] = [
  undefined,
  { types: ["*"] },
  { types: ["a.*"] },
  { types: ["a.x", "b"], levels: ["info", "error"] },
  { levels: ["debug"] },
  { types: ["nothing"] },
];

/** Returns a log of `length` events of all kinds, always the same. */
async function fill(store: ShortTermStore, length: number): Promise<StoredEvent[]> {
  await create(store, "t");
  const random = seededRandom(length);
  const one = <T>(...of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
  const drafts = Array.from({ length }, (_, i): EventDraft => {
    const changes = { type: one("a.x", "a.y", "b", "a"), level: one("info", "debug") } as const;
    return one<() => EventDraft>(
      () => draft(i, changes),
      () => delta(`${i}`, changes),
      () => draft(i, { ...changes, seriesId: "latest", seriesMode: "latest" }),
      () => draft(i, { ...changes, seriesId: "kept", seriesMode: "keep-all" }),
    )();
  });
  for (let at = 0; at < length; at += 7) await append(store, "t", ...drafts.slice(at, at + 7));
  return await log(store, "t");
}

function isStandalone({ seriesMode }: StoredEvent): boolean {
  return seriesMode !== "latest" && seriesMode !== "accumulate";
}

/** Reads all pages of a query. */
async function readAll(store: ShortTermStore, query: LogQuery): Promise<StoredEvent[]> {
  const found: StoredEvent[] = [];
  const { backward = false } = query;
  let { after, through } = query;
  for (;;) {
    const page = (await store.readLog("t", { ...query, after, through }))!;
    found.push(...page.events);
    assert(page.events.length <= query.limit);
    const newest = Math.min(through ?? Infinity, page.length - 1);
    if (backward ? page.scannedTo <= after + 1 : page.scannedTo >= newest) return found;
    assert(
      backward ? page.scannedTo <= newest : page.scannedTo > after,
      "every page gets further",
    );
    if (backward) through = page.scannedTo - 1;
    else after = page.scannedTo;
  }
}

/** Limits of pages, in events and bytes. */
const PAGES = [
  [1_000, undefined],
  [1_000, 1_000_000],
  [1_000, 200_000],
  [100, 70_000],
  [40, 500_000],
  [32, undefined],
] as const;

/** Checks of reads: exactly the requested events, from any position. */
export const READ_CHECKS: readonly Check<ShortTermStore>[] = [
  {
    title: "readLog() returns what any query selects, page by page",
    async run(store) {
      const all = await fill(store, 60);
      assert.equal(all.length, 60);
      const random = seededRandom(7);
      for (let round = 0; round < 120; round++) {
        const query: LogQuery = {
          after: Math.floor(random() * 62) - 1,
          through: random() < 0.5 ? undefined : Math.floor(random() * 70),
          limit: 1 + Math.floor(random() * 20),
          maxBytes: random() < 0.4 ? 1 + Math.floor(random() * 200) : undefined,
          filter: FILTERS[Math.floor(random() * FILTERS.length)],
          standalone: random() < 0.4,
          backward: random() < 0.4,
        };
        const { after, through = Infinity, filter, standalone, backward } = query;
        const matches = compileFilter(filter);
        const expected = all.filter((event) =>
          event.index > after && event.index <= through && matches(event) &&
          (!standalone || isStandalone(event))
        );
        if (backward) expected.reverse();
        assert.deepEqual(await readAll(store, query), expected, JSON.stringify(query));
      }
    },
  },
  {
    title: "readLog() keeps to the bound in bytes, but returns at least one event",
    async run(store) {
      await create(store, "t");
      const text = "x".repeat(998); // Includes two quotation marks.
      for (let i = 0; i < 8; i++) await append(store, "t", draft(text));
      for (const backward of [false, true]) {
        for (const filter of [undefined, { types: ["*"], levels: ["info" as const] }]) {
          for (const [maxBytes, count] of [[1, 1], [1_500, 2], [3_500, 4]] as const) {
            const query = { after: -1, limit: 100, maxBytes, filter, backward };
            const page = (await store.readLog("t", query))!;
            assert.equal(page.events.length, count);
            assert.equal(page.scannedTo, backward ? 8 - count : count - 1);
          }
          const all = await store.readLog("t", { after: -1, limit: 100, maxBytes: 50_000, filter });
          assert.equal(all?.events.length, 8);
        }
      }
    },
  },
  {
    title: "readLog() keeps to both bounds with many events, some of them large",
    async run(store) {
      await create(store, "t");
      const random = seededRandom(11);
      const size = () => random() < 0.1 ? 30_000 * random() : random() < 0.5 ? 2_000 * random() : 9;
      const drafts = Array.from(
        { length: 600 },
        (_, i) =>
          draft("é".repeat(size()), i === 599 ? { seriesId: "s", seriesMode: "latest" } : {}),
      );
      const all: StoredEvent[] = [];
      for (let at = 0; at < drafts.length; at += 100) {
        all.push(...await append(store, "t", ...drafts.slice(at, at + 100)));
      }
      // Stores count at least one byte for each character.
      const largest = Math.max(...all.map(({ data }) => data.length));
      for (const standalone of [false, true]) {
        const expected = all.filter((event) => !standalone || isStandalone(event));
        for (const [limit, maxBytes] of PAGES) {
          const query: LogQuery = { after: -1, limit, maxBytes, standalone };
          assert.deepEqual(await readAll(store, query), expected, JSON.stringify(query));
          for (const after of [-1, 17, 333]) {
            const { events } = (await store.readLog("t", { ...query, after }))!;
            const bytes = events.reduce((sum, { data }) => sum + data.length, 0);
            assert(bytes < (maxBytes ?? Infinity) + largest, `${bytes} of ${maxBytes}`);
            const isFilled = events.length === limit || maxBytes !== undefined;
            assert(isFilled || events.at(-1)?.index === expected.at(-1)?.index);
          }
        }
      }
    },
  },
  {
    title: "readLog() returns the length, status and incarnation of the task",
    async run(store) {
      await fill(store, 5);
      await replace(store, "t", { status: "failed" }, { events: [draft("end")] });
      for (
        const query of [{ after: -1, limit: 2 }, { after: 5, limit: 2 }, { after: 99, limit: 1 }]
      ) {
        const page = await store.readLog("t", query);
        assert.deepEqual(
          { length: page?.length, status: page?.status, incarnation: page?.incarnation },
          { length: 6, status: "failed", incarnation: "0123abcd" },
        );
      }
    },
  },
  {
    title: "readLog() beyond the end is empty",
    async run(store) {
      await create(store, "t");
      for (const backward of [false, true]) {
        const page = await store.readLog("t", { after: -1, limit: 5, backward });
        assert.deepEqual(page?.events, []);
        assert.equal(page?.length, 0);
      }
    },
  },
  {
    title: "countMatches() counts the matching events before each index",
    async run(store) {
      const all = await fill(store, 50);
      const indexes = [0, 1, 7, 49, 50];
      for (const filter of FILTERS) {
        const matches = compileFilter(filter);
        assert.deepEqual(
          await store.countMatches("t", filter ?? {}, indexes),
          indexes.map((index) =>
            all.filter((event) => event.index < index && matches(event)).length
          ),
        );
      }
      assert.deepEqual(await store.countMatches("t", {}, indexes, INCARNATION), indexes);
      for (const filter of FILTERS) {
        assert.equal(await store.countMatches("t", filter ?? {}, indexes, "4567efgh"), undefined);
      }
    },
  },
  {
    title: "a read sees every commit that was acknowledged before it started",
    async run(store) {
      await create(store, "t");
      for (let i = 0; i < 30; i++) {
        await append(store, "t", delta(`${i};`));
        const [page, view, head] = await Promise.all([
          store.readLog("t", { after: i - 1, limit: 5 }),
          store.readFolds("t", { after: -1, limit: 9 }),
          store.getTask("t"),
        ]);
        assert.deepEqual(page?.events.map(({ index }) => index), [i]);
        assert.equal(view?.folds[0]?.newest.index, i);
        assert(view?.folds[0]?.text?.endsWith(`${i};`));
        assert.equal(head?.length, i + 1);
      }
    },
  },
  {
    title: "folds and the log agree while others write",
    async run(store) {
      await create(store, "t");
      let writing = true;
      const writer = (async () => {
        for (let i = 0; i < 60; i++) await append(store, "t", delta(`${i};`), draft(i));
        writing = false;
      })();
      while (writing) {
        // A store whose reads never wait must still get to its writes.
        await new Promise((resolve) => setTimeout(resolve, 0));
        const view = (await store.readFolds("t", { after: -1, limit: 9 }))!;
        const [fold] = view.folds;
        if (fold === undefined) continue;
        const page = await store.readLog("t", {
          after: -1,
          through: fold.newest.index,
          limit: 999,
        });
        const said = page!.events.filter((event) => !isStandalone(event)).map(({ data }) =>
          JSON.parse(data).delta
        );
        assert.equal(fold.text, said.join(""));
        assert(fold.newest.index < view.length);
      }
      await writer;
    },
  },
];
