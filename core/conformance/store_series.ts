import assert from "node:assert/strict";
import type { EventDraft, SeriesFold } from "../contracts/records.ts";
import { MAX_SERIES_KINDS } from "../contracts/records.ts";
import type { ShortTermStore } from "../contracts/short_term_store.ts";
import { append, assertRefused, commit, create, delta, draft, log } from "./store_fixtures.ts";
import type { Check } from "./suite.ts";

async function folds(store: ShortTermStore): Promise<Map<string, SeriesFold>> {
  const page = await store.readFolds("t", { after: -1, limit: 999 });
  return new Map(page!.folds.map((fold) => [fold.seriesId, fold]));
}

/** Checks of series: their kind is fixed, and their folds equal the folded events. */
export const SERIES_CHECKS: readonly Check<ShortTermStore>[] = [
  {
    title: "a series keeps the mode and the field that it started with",
    async run(store) {
      await create(store, "t");
      await append(
        store,
        "t",
        delta("a", { accField: "text" }),
        draft(1, { seriesId: "progress", seriesMode: "latest" }),
        draft(2, { seriesId: "steps" }),
      );
      const publish = (event: ReturnType<typeof draft>) =>
        commit(store, { taskId: "t", expect: "live", events: [draft("first"), event] });
      const conflict = { code: "SERIES_CONFLICT", at: 1 } as const;
      assertRefused(await publish(delta("b", { seriesMode: "latest", accField: "text" })), {
        ...conflict,
        mode: "accumulate",
        accField: "text",
      });
      assertRefused(await publish(delta("b")), {
        ...conflict,
        mode: "accumulate",
        accField: "text",
      });
      assertRefused(await publish(delta("b", { seriesId: "progress" })), {
        ...conflict,
        mode: "latest",
      });
      assertRefused(await publish(delta("b", { seriesId: "steps" })), {
        ...conflict,
        mode: "keep-all",
      });
      assert.equal((await log(store, "t")).length, 3);
    },
  },
  {
    title: "an event that must not accumulate is refused only by a series that accumulates",
    async run(store) {
      await create(store, "t");
      const bad = (seriesId: string) =>
        draft("no delta", { seriesId, accField: "delta", mustNotAccumulate: true });
      const publish = (...events: EventDraft[]) =>
        commit(store, { taskId: "t", expect: "live", events });
      const refusal = (at: number) => ({ code: "NO_DELTA", at, accField: "delta" }) as const;
      assertRefused(await publish(draft(), delta("a"), bad("answer")), refusal(2));
      await append(store, "t", delta("a"));
      assertRefused(await publish(draft(), bad("answer")), refusal(1));
      assertRefused(await publish(draft("x", { ...bad("answer"), accField: "text" })), {
        code: "SERIES_CONFLICT",
        at: 0,
        mode: "accumulate",
        accField: "delta",
      });
      assert.equal((await log(store, "t")).length, 1, "nothing of what was refused is stored");
      await append(
        store,
        "t",
        draft("now", { seriesId: "now", seriesMode: "latest" }),
        bad("now"),
        bad("kept"),
        bad("kept"),
        delta("", { data: '{"delta":null}', delta: undefined, seriesMode: undefined }),
      );
      const all = await folds(store);
      assert.equal(all.get("now")?.newest.data, '"no delta"');
      assert.equal(all.get("answer")?.text, undefined);
    },
  },
  {
    title: "an event without a mode gets that of its series, or keep-all",
    async run(store) {
      await create(store, "t");
      const stored = await append(
        store,
        "t",
        delta("a"),
        delta("b", { seriesMode: undefined }),
        draft(0, { seriesId: "other", accField: "delta" }),
      );
      assert.deepEqual(
        stored.map(({ seriesMode, accField }) => [seriesMode, accField]),
        [["accumulate", "delta"], ["accumulate", "delta"], ["keep-all", undefined]],
      );
      assert.deepEqual(await log(store, "t"), stored);
      assert.equal((await folds(store)).get("answer")?.text, "ab");
    },
  },
  {
    title: "an accumulate series folds to its whole text and its newest event",
    async run(store) {
      await create(store, "t");
      let text = "";
      let newest;
      for (const part of ["Hel", "", "lo ", "\u0000\n", '"\\', "🎉"]) {
        [newest] = await append(store, "t", delta(part));
        text += part;
      }
      const fold = (await folds(store)).get("answer")!;
      assert.equal(fold.mode, "accumulate");
      assert.equal(fold.accField, "delta");
      assert.equal(fold.text, text);
      assert.deepEqual(fold.newest, newest);
    },
  },
  {
    title: "a character that is split between two events is whole in the fold, too",
    async run(store) {
      await create(store, "t");
      const [high, low] = ["🎉"[0]!, "🎉"[1]!];
      await append(store, "t", delta(`a${high}`));
      await append(store, "t", delta(`${low}b`));
      assert.equal((await folds(store)).get("answer")?.text, "a🎉b");
      assert.deepEqual(
        (await log(store, "t")).map(({ data }) => JSON.parse(data).delta),
        [`a${high}`, `${low}b`],
      );
    },
  },
  {
    title: "a value that is no string replaces the text, and the next string starts anew",
    async run(store) {
      await create(store, "t");
      await append(store, "t", delta("a"));
      const [number] = await append(
        store,
        "t",
        delta("", { data: '{"delta":7}', delta: undefined }),
      );
      const replaced = (await folds(store)).get("answer")!;
      assert.equal(replaced.text, undefined);
      assert.deepEqual(replaced.newest, number);
      await append(store, "t", delta("b"), delta("c"));
      assert.equal((await folds(store)).get("answer")?.text, "bc");
    },
  },
  {
    title: "data that is no object replaces the text, whatever the name of the appended field",
    async run(store) {
      await create(store, "t");
      const series = { accField: "0", delta: undefined };
      for (const data of ['"sz"', '["sz"]']) {
        const text = delta("", { accField: "0", data: '{"0":"a"}', delta: "a" });
        const [, newest] = await append(store, "t", text, delta("", { ...series, data }));
        const fold = (await folds(store)).get("answer")!;
        assert.equal(fold.text, undefined);
        assert.deepEqual(fold.newest, newest);
      }
    },
  },
  {
    title: "a latest series folds to its newest event; keep-all does not fold",
    async run(store) {
      await create(store, "t");
      const [, newest] = await append(
        store,
        "t",
        draft({ percent: 1 }, { seriesId: "progress", seriesMode: "latest" }),
        draft({ percent: 2 }, { seriesId: "progress", seriesMode: "latest" }),
        draft("kept", { seriesId: "steps", seriesMode: "keep-all" }),
      );
      const all = await folds(store);
      assert.deepEqual([...all.keys()], ["progress"]);
      const { mode, newest: folded, text } = all.get("progress")!;
      assert.deepEqual([mode, folded, text], ["latest", newest, undefined]);
    },
  },
  {
    title: "a fold lists the event kinds of its series, up to a number",
    async run(store) {
      await create(store, "t");
      await append(store, "t", delta("a"), delta("b", { level: "debug" }), delta("c"));
      const named = (fold?: SeriesFold) =>
        fold?.eventKinds?.map(({ type, level }) => `${type} ${level}`).sort();
      assert.deepEqual(named((await folds(store)).get("answer")), ["step debug", "step info"]);
      const types = Array.from({ length: MAX_SERIES_KINDS }, (_, i) => `t${i}`);
      await append(store, "t", ...types.map((type) => delta("x", { seriesId: "few", type })));
      assert.deepEqual(
        named((await folds(store)).get("few")),
        types.map((type) => `${type} info`),
      );
      await append(store, "t", delta("y", { seriesId: "few", type: "one more" }));
      assert.equal((await folds(store)).get("few")?.eventKinds, null);
    },
  },
  {
    title: "concurrent writers of one series lose none of its text",
    async run(store) {
      await create(store, "t");
      await Promise.all(
        Array.from({ length: 60 }, (_, i) => append(store, "t", delta(`<${i}>`), delta(`<${i}'>`))),
      );
      const said = (await log(store, "t")).map(({ data }) => JSON.parse(data).delta).join("");
      assert.equal((await folds(store)).get("answer")?.text, said);
      assert.equal((await log(store, "t")).length, 120);
    },
  },
  {
    title: "a long series folds to its whole text",
    async run(store) {
      await create(store, "t");
      let text = "";
      for (let batch = 0; batch < 20; batch++) {
        const parts = Array.from({ length: 100 }, (_, i) => `${batch}.${i} `);
        await append(store, "t", ...parts.map((part) => delta(part)));
        text += parts.join("");
      }
      assert.equal((await folds(store)).get("answer")?.text, text);
    },
  },
];
