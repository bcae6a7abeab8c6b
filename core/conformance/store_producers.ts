import assert from "node:assert/strict";
import type { EventDraft } from "../contracts/records.ts";
import type { CommitResult, ShortTermStore } from "../contracts/short_term_store.ts";
import { append, assertRefused, commit, create, draft, replace, values } from "./store_fixtures.ts";
import type { Check } from "./suite.ts";

function numbered(seq: number, value: unknown = seq, epoch = 0, id = "p"): EventDraft {
  return draft(value, { producer: { id, epoch, seq } });
}

async function publish(store: ShortTermStore, ...events: EventDraft[]): Promise<CommitResult> {
  return await commit(store, { taskId: "t", expect: "live", events });
}

/** Checks of producer sequences: repetitions are recognised, gaps refused, old epochs fenced. */
export const PRODUCER_CHECKS: readonly Check<ShortTermStore>[] = [
  {
    title: "a repeated sequence number returns the stored event",
    async run(store) {
      await create(store, "t");
      const stored = await append(store, "t", numbered(0), numbered(1), numbered(2));
      const repeated = await publish(store, numbered(1, "other"), numbered(2), numbered(3));
      assert(repeated.ok);
      assert.deepEqual(repeated.events.slice(0, 2), stored.slice(1));
      assert.equal(repeated.events[2]!.index, 3);
      assert.equal(repeated.from, 3);
      assert.equal(repeated.length, 4);
      assert.deepEqual(await values(store, "t"), [0, 1, 2, 3]);
    },
  },
  {
    title: "a batch may contain repetitions of itself",
    async run(store) {
      await create(store, "t");
      const result = await publish(store, numbered(0), numbered(0, "again"), numbered(1));
      assert(result.ok);
      assert.deepEqual(result.events.map(({ index }) => index), [0, 0, 1]);
      assert.deepEqual(await values(store, "t"), [0, 1]);
    },
  },
  {
    title: "a sequence number that is sent many times at once is stored once",
    async run(store) {
      await create(store, "t");
      const results = await Promise.all(
        Array.from({ length: 20 }, () => publish(store, numbered(0, "once"))),
      );
      for (const result of results) {
        assert(result.ok);
        assert.deepEqual(result.events.map(({ index }) => index), [0]);
      }
      assert.equal(results.filter((result) => result.ok && result.from === 0).length, 1);
      assert.deepEqual(await values(store, "t"), ["once"]);
    },
  },
  {
    title: "a gap in sequence numbers is refused with the expected number",
    async run(store) {
      await create(store, "t");
      assertRefused(await publish(store, numbered(1)), {
        code: "SEQUENCE_GAP",
        at: 0,
        expected: 0,
      });
      await append(store, "t", numbered(0));
      assertRefused(await publish(store, numbered(1), numbered(3)), {
        code: "SEQUENCE_GAP",
        at: 1,
        expected: 2,
      });
      assert.deepEqual(await values(store, "t"), [0]);
    },
  },
  {
    title: "a new epoch starts at 0 and fences off the old one",
    async run(store) {
      await create(store, "t");
      await append(store, "t", numbered(0), numbered(1), numbered(0, "new", 2));
      assertRefused(await publish(store, numbered(2)), {
        code: "PRODUCER_FENCED",
        at: 0,
        epoch: 2,
      });
      assertRefused(await publish(store, numbered(1, 1, 3)), {
        code: "SEQUENCE_GAP",
        at: 0,
        expected: 0,
      });
      await append(store, "t", numbered(1, "next", 2));
      assert.deepEqual(await values(store, "t"), [0, 1, "new", "next"]);
    },
  },
  {
    title: "producers are independent of each other",
    async run(store) {
      await create(store, "t");
      await append(store, "t", numbered(0, "p"), numbered(0, "q", 5, "q"), numbered(1, "p"));
      assert.deepEqual(await values(store, "t"), ["p", "q", "p"]);
    },
  },
  {
    title: "a repetition returns the stored event even if the task has ended or is full",
    async run(store) {
      await create(store, "t");
      const stored = await append(store, "t", numbered(0), numbered(1));
      const full = await commit(store, {
        taskId: "t",
        expect: "live",
        events: [numbered(1)],
        maxEvents: 1,
      });
      assert(full.ok);
      assert((await replace(store, "t", { status: "completed" })).ok);
      const repeated = await publish(store, numbered(0), numbered(1));
      assert(repeated.ok);
      assert.deepEqual(repeated.events, stored);
      assertRefused(await publish(store, numbered(1), numbered(2)), {
        code: "TERMINAL",
        status: "completed",
      });
    },
  },
];
