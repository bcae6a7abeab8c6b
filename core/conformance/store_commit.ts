import assert from "node:assert/strict";
import type { EventDraft } from "../contracts/records.ts";
import type { Commit, ShortTermStore } from "../contracts/short_term_store.ts";
import {
  append,
  assertRefused,
  commit,
  create,
  draft,
  INCARNATION,
  log,
  NOW,
  record,
  replace,
  values,
} from "./store_fixtures.ts";
import type { Check } from "./suite.ts";

/** Checks of commits: atomic, in order, and refused as a whole. */
export const COMMIT_CHECKS: readonly Check<ShortTermStore>[] = [
  {
    title: "commit() creates a task once, however many try at the same time",
    async run(store) {
      const created = record("t", { type: "job", params: { n: 1 }, tags: ["a"] });
      const results = await Promise.all(
        Array.from(
          { length: 20 },
          () => commit(store, { taskId: "t", expect: "absent", record: created, due: {} }),
        ),
      );
      assert.equal(results.filter(({ ok }) => ok).length, 1);
      for (const result of results) if (!result.ok) assertRefused(result, { code: "EXISTS" });
      assert.deepEqual(await store.getTask("t"), { record: created, length: 0 });
    },
  },
  {
    title: "commit() to an absent task is refused",
    async run(store) {
      const events = [draft()];
      const absent = { code: "ABSENT" } as const;
      assertRefused(await commit(store, { taskId: "t", expect: "live", events }), absent);
      assertRefused(await replace(store, "t", { status: "running" }), absent);
      assert.equal(await store.getTask("t"), undefined);
      assert.equal(await store.readLog("t", { after: -1, limit: 1 }), undefined);
      assert.equal(await store.readFolds("t", { after: -1, limit: 1 }), undefined);
      assert.deepEqual((await store.listTasks({ limit: 1 })).tasks, []);
    },
  },
  {
    title: "commit() to an incarnation appends to that one only, and checks it first",
    async run(store) {
      const second = "4567efgh";
      const expect = (incarnation: string) => ({ live: true, incarnation }) as const;
      const to = (incarnation: string, ...events: EventDraft[]) =>
        commit(store, { taskId: "t", expect: expect(incarnation), events });
      assertRefused(await to(INCARNATION, draft("none")), { code: "ABSENT" });
      await create(store, "t");
      const sent = draft("sent", { producer: { id: "p", epoch: 2, seq: 0 } });
      const inSeries = { seriesId: "s", seriesMode: "latest" } as const;
      for (const events of [[draft(0)], [draft(1), draft(2)], [draft(3, inSeries), sent]]) {
        const result = await to(INCARNATION, ...events);
        assert(result.ok);
        assert.equal(result.events.length, events.length);
      }
      const any = await commit(store, { taskId: "t", expect: { live: true }, events: [draft(4)] });
      assert(any.ok);
      const expected = [0, 1, 2, 3, "sent", 4];
      assert.deepEqual(await values(store, "t"), expected);

      const replaced = { code: "REPLACED" } as const;
      const others: EventDraft[][] = [
        [draft("plain")],
        [draft("many"), draft("plain")],
        [draft("of a series", inSeries)],
        [draft("another mode", { ...inSeries, seriesMode: "keep-all" })],
        [sent],
        [draft("fenced", { producer: { id: "p", epoch: 1, seq: 0 } })],
        [draft("gap", { producer: { id: "p", epoch: 2, seq: 7 } })],
        [],
      ];
      for (const events of others) assertRefused(await to(second, ...events), replaced);
      assert.deepEqual(await values(store, "t"), expected);

      await replace(store, "t", { status: "completed" });
      assertRefused(await to(second, draft("ended")), replaced);
      assertRefused(await to(INCARNATION, draft("ended")), {
        code: "TERMINAL",
        status: "completed",
      });
      assert((await to(INCARNATION, sent)).ok);

      assert.equal(await store.deleteTask("t"), true);
      assertRefused(await to(INCARNATION, draft("gone")), { code: "ABSENT" });
      const again = { ...record("t"), incarnation: second };
      assert((await commit(store, { taskId: "t", expect: "absent", record: again })).ok);
      for (const events of others) assertRefused(await to(INCARNATION, ...events), replaced);
      assert.deepEqual(await store.getTask("t"), { record: again, length: 0 });
      assert((await to(second, draft("new"))).ok);
      assert.deepEqual(await values(store, "t"), ["new"]);
    },
  },
  {
    title: "commit() with several reasons for refusal is refused for the first in a fixed order",
    async run(store) {
      await create(store, "t");
      const sent = draft("sent", { producer: { id: "p", epoch: 2, seq: 0 } });
      const latest = { seriesId: "s", seriesMode: "latest" } as const;
      await append(store, "t", sent, draft("first", latest));
      const to = (expect: Commit["expect"], ...events: EventDraft[]) =>
        commit(store, { taskId: "t", expect, events, maxEvents: 2 });
      const other = { incarnation: "4567efgh" };
      const gap = draft("gap", { producer: { id: "p", epoch: 2, seq: 9 } });
      const fenced = draft("fenced", { producer: { id: "p", epoch: 1, seq: 0 } });
      const otherMode = draft("mode", { seriesId: "s", seriesMode: "keep-all" });
      const conflict = { code: "SERIES_CONFLICT", at: 0, mode: "latest" } as const;
      assertRefused(await to({ live: true, ...other }, otherMode, gap), { code: "REPLACED" });
      assertRefused(await to({ live: true, incarnation: INCARNATION }, otherMode, gap), {
        code: "SEQUENCE_GAP",
        at: 1,
        expected: 1,
      });
      assertRefused(await to("live", otherMode, draft("full")), conflict);
      assertRefused(await to("live", draft("full")), { code: "TASK_FULL" });
      await replace(store, "t", { status: "completed" });
      assertRefused(await to({ live: true, ...other }, otherMode), { code: "REPLACED" });
      assertRefused(await to("live", otherMode, fenced), {
        code: "PRODUCER_FENCED",
        at: 1,
        epoch: 2,
      });
      assertRefused(await to("live", otherMode, sent), {
        code: "TERMINAL",
        status: "completed",
      });
      assert.deepEqual(await values(store, "t"), ["sent", "first"]);
      const again = await to("live", sent);
      assert(again.ok, "a repetition is answered even then");
    },
  },
  {
    title: "commit() numbers events without gaps under concurrent writes",
    async run(store) {
      await create(store, "t");
      const results = await Promise.all(
        Array.from({ length: 40 }, (_, i) =>
          commit(store, {
            taskId: "t",
            expect: "live",
            events: [draft([i, 0]), draft([i, 1]), draft([i, 2])],
          })),
      );
      const stored = await log(store, "t");
      assert.deepEqual(stored.map(({ index }) => index), stored.map((_, i) => i));
      assert.equal(stored.length, 120);
      for (const [i, result] of results.entries()) {
        assert(result.ok);
        assert.deepEqual(result.events.map(({ data }) => JSON.parse(data)), [[i, 0], [i, 1], [
          i,
          2,
        ]]);
        assert.deepEqual(stored.slice(result.from, result.from + 3), result.events);
        assert(result.length >= result.from + 3);
      }
    },
  },
  {
    title: "commit() keeps every field of task and event",
    async run(store) {
      const full = {
        ...record("t", {
          type: "job",
          status: "blocked",
          params: { deep: [{ a: null }] },
          metadata: { "ключ": "значение 🎉" },
          tags: ["a", "b"],
          ttl: 1.5,
          reason: "waits",
          resumeAt: NOW + 5,
          blockedRequest: { type: "approval", data: { amount: 3 } },
          result: { ok: true },
          error: { code: "E", message: "m", details: { x: [1, 2.5, -0.25] } },
          assignMode: "pull",
          cost: 2,
          disconnectPolicy: "reassign",
        }),
        deadlineAt: NOW + 7,
        ttlRemainingMs: 12,
        traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      };
      const created = await commit(store, {
        taskId: "t",
        expect: "absent",
        record: full,
        due: { wake: NOW + 5 },
        events: [draft({ text: '\u0000 \u2028 \\ " 🎉 \ud800 end' }, { level: "warn" })],
      });
      assert(created.ok);
      assert.deepEqual(await store.getTask("t"), { record: full, length: 1 });
      assert.deepEqual((await store.listTasks({ limit: 1 })).tasks, [full]);
      const [stored] = await log(store, "t");
      assert.deepEqual(stored, created.events[0]);
      assert.equal(stored!.level, "warn");
      assert.equal(stored!.timestamp, NOW);
      assert.deepEqual(JSON.parse(stored!.data), {
        text: '\u0000 \u2028 \\ " 🎉 \ud800 end',
      });
    },
  },
  {
    title: "commit() stores all events of a batch or none",
    async run(store) {
      await create(store, "t");
      await append(store, "t", draft(0, { seriesId: "s", seriesMode: "latest" }));
      const refused = await commit(store, {
        taskId: "t",
        expect: "live",
        events: [
          draft(1, { seriesId: "new", seriesMode: "latest" }),
          draft(2, { producer: { id: "p", epoch: 0, seq: 0 } }),
          draft(3, { seriesId: "s", seriesMode: "keep-all" }),
        ],
      });
      assertRefused(refused, { code: "SERIES_CONFLICT", at: 2, mode: "latest" });
      assert.deepEqual(await values(store, "t"), [0]);
      // The series and the producer that came first in the batch are unknown.
      await append(
        store,
        "t",
        draft(4, { seriesId: "new", seriesMode: "keep-all" }),
        draft(5, { producer: { id: "p", epoch: 0, seq: 0 } }),
      );
      assert.deepEqual(await values(store, "t"), [0, 4, 5]);
    },
  },
  {
    title: "commit() without events changes nothing",
    async run(store) {
      await create(store, "t");
      await append(store, "t", draft(0));
      const result = await commit(store, { taskId: "t", expect: "live" });
      assert.deepEqual(result, { ok: true, events: [], from: 1, length: 1 });
    },
  },
  {
    title: "commit() replaces a version once, however many try at the same time",
    async run(store) {
      await create(store, "t");
      const results = await Promise.all(
        Array.from(
          { length: 30 },
          (_, i) =>
            replace(store, "t", { status: "completed", result: { i } }, { events: [draft(i)] }),
        ),
      );
      const winners = results.flatMap((result, i) => result.ok ? [i] : []);
      assert.equal(winners.length, 1);
      for (const result of results) if (!result.ok) assertRefused(result, { code: "CONFLICT" });
      const head = await store.getTask("t");
      assert.deepEqual(head?.record.task.result, { i: winners[0] });
      assert.equal(head?.record.version, 2);
      assert.deepEqual(await values(store, "t"), winners);
    },
  },
  {
    title: "commit() to another incarnation of the id is refused",
    async run(store) {
      await create(store, "t");
      const result = await commit(store, {
        taskId: "t",
        expect: { version: 1, incarnation: "zzzzzzzz" },
        record: record("t", { status: "running" }, 2),
        due: {},
      });
      assertRefused(result, { code: "CONFLICT" });
      assert.equal((await store.getTask("t"))?.record.version, 1);
    },
  },
  {
    title: "commit() appends nothing to an ended task",
    async run(store) {
      await create(store, "t");
      assert((await replace(store, "t", { status: "cancelled" })).ok);
      const result = await commit(store, { taskId: "t", expect: "live", events: [draft()] });
      assertRefused(result, { code: "TERMINAL", status: "cancelled" });
      assert.deepEqual(await log(store, "t"), []);
    },
  },
  {
    title: "timestamps never go back",
    async run(store) {
      await create(store, "t");
      for (const nowMs of [NOW + 10, NOW + 5, NOW + 20]) {
        await commit(store, { taskId: "t", expect: "live", events: [draft()], nowMs });
      }
      const timestamps = (await log(store, "t")).map(({ timestamp }) => timestamp);
      assert.deepEqual(timestamps, [NOW + 10, NOW + 10, NOW + 20]);
    },
  },
  {
    title: "commit() keeps a log within its bounds, which do not apply to changes of state",
    async run(store) {
      await create(store, "t");
      const full = { code: "TASK_FULL" } as const;
      const publish = (
        bounds: { maxEvents: number; maxBytes: number },
        events = [draft("12345678")],
      ) => commit(store, { taskId: "t", expect: "live", events, ...bounds });
      assert((await publish({ maxEvents: 1, maxBytes: 10 })).ok);
      assertRefused(await publish({ maxEvents: 1, maxBytes: 100 }), full);
      assertRefused(await publish({ maxEvents: 9, maxBytes: 19 }), full);
      const change = await commit(store, {
        taskId: "t",
        expect: { version: 1, incarnation: INCARNATION },
        record: record("t", { status: "completed" }, 2),
        due: {},
        events: [draft("status")],
        maxEvents: 1,
        maxBytes: 1,
      });
      assert(change.ok);
      assert.deepEqual(await values(store, "t"), ["12345678", "status"]);
    },
  },
  {
    title: "the store shares no objects with its callers",
    async run(store) {
      const given = record("t", { params: { a: 1 } });
      await commit(store, { taskId: "t", expect: "absent", record: given, due: {} });
      given.task.params!.a = 2;
      const read = await store.getTask("t");
      read!.record.task.status = "failed";
      const [listed] = (await store.listTasks({ limit: 1 })).tasks;
      listed!.task.params!.a = 3;
      const head = await store.getTask("t");
      assert.deepEqual(head?.record, record("t", { params: { a: 1 } }));
    },
  },
  {
    title: "deleteTask() leaves nothing behind, and the id can be used again",
    async run(store) {
      await create(store, "t", {}, { deadline: NOW, wake: NOW });
      const producer = { id: "p", epoch: 3, seq: 0 };
      await append(store, "t", draft(0, { seriesId: "s", seriesMode: "latest", producer }));
      assert.equal(await store.deleteTask("t"), true);
      assert.equal(await store.deleteTask("t"), false);
      assert.equal(await store.getTask("t"), undefined);
      assert.equal(await store.readLog("t", { after: -1, limit: 9 }), undefined);
      assert.equal(await store.readFolds("t", { after: -1, limit: 1 }), undefined);
      assert.equal(await store.countMatches("t", {}, [5]), undefined);
      assert.deepEqual(await store.listTasks({ limit: 9 }), { tasks: [], more: false });
      assert.deepEqual(await store.due(NOW, 9), { entries: [] });

      const again = { ...record("t"), incarnation: "9876zyxw" };
      assert((await commit(store, { taskId: "t", expect: "absent", record: again, due: {} })).ok);
      const [first] = await append(
        store,
        "t",
        draft(1, { seriesId: "s", seriesMode: "keep-all", producer: { ...producer, epoch: 0 } }),
      );
      assert.equal(first!.index, 0);
      const page = await store.readLog("t", { after: -1, limit: 9 });
      assert.equal(page?.incarnation, "9876zyxw");
      assert.deepEqual(page?.events, [first]);
    },
  },
  {
    title: "tasks are independent of each other",
    async run(store) {
      const ids = ["a", "A", "a:b", "a.b", "a:b:c", "a~", "a-", "_"];
      for (const id of ids) await create(store, id);
      await Promise.all(ids.map((id) => append(store, id, draft(id), draft(id))));
      for (const id of ids) assert.deepEqual(await values(store, id), [id, id]);
      await store.deleteTask("a");
      for (const id of ids.slice(1)) assert.deepEqual(await values(store, id), [id, id]);
    },
  },
];
