import assert from "node:assert/strict";
import type { DueTimes, EventDraft, TaskRecord } from "../contracts/records.ts";
import type { Leases } from "../contracts/leases.ts";
import type { Commit, CommitResult, ShortTermStore } from "../contracts/short_term_store.ts";
import type { Task } from "../protocol/task.ts";
import {
  assertRefused,
  commit,
  draft,
  INCARNATION,
  NOW,
  record,
  values,
} from "./store_fixtures.ts";
import type { Check } from "./suite.ts";

const FIRST = "0.aaaaaaaaaaaaaaaa";
const SECOND = "1.bbbbbbbbbbbbbbbb";

function leasesOf(store: ShortTermStore): Leases {
  assert(store.leases, "the store has leases");
  return store.leases;
}

function leased(
  taskId: string,
  lease: string | undefined,
  version = 1,
  changes: Partial<Task> = {},
): TaskRecord {
  const created = record(taskId, { status: "running", ...changes }, version);
  return lease === undefined ? created : { ...created, lease };
}

/** Creates a running task with a lease that expires at `NOW + 10`. */
async function createLeased(
  store: ShortTermStore,
  taskId: string,
  lease = FIRST,
  due: DueTimes = { lease: NOW + 10 },
): Promise<void> {
  const created = { taskId, expect: "absent", record: leased(taskId, lease), due } as const;
  assert((await commit(store, created)).ok);
}

/** Replaces the record of a task that is at `version - 1`. */
async function replaceAt(
  store: ShortTermStore,
  next: TaskRecord,
  { leaseBy, ...changes }: Partial<Commit> & { leaseBy?: number } = {},
): Promise<CommitResult> {
  const { task: { id: taskId }, version } = next;
  const expect = { version: version - 1, incarnation: INCARNATION, leaseBy };
  return await commit(store, { taskId, expect, record: next, due: {}, ...changes });
}

/** Publishes under a lease, or without one. */
async function publish(
  store: ShortTermStore,
  taskId: string,
  lease: string | undefined,
  ...events: EventDraft[]
): Promise<CommitResult> {
  return await commit(store, { taskId, expect: "live", lease, events });
}

async function isRefusedAsLost(
  store: ShortTermStore,
  taskId: string,
  lease: string,
): Promise<boolean> {
  const result = await publish(store, taskId, lease, draft());
  if (!result.ok) assertRefused(result, { code: "LEASE_LOST" });
  return !result.ok;
}

async function renewed(store: ShortTermStore, taskId: string, lease: string, untilMs: number) {
  return (await leasesOf(store).renew([{ taskId, lease, untilMs }]))[0];
}

/** Returns when the task's lease expires, as `due()` says. */
async function leaseDue(store: ShortTermStore, taskId: string): Promise<number | undefined> {
  const { entries } = await store.due(Number.MAX_SAFE_INTEGER, 100);
  return entries.find((entry) => entry.taskId === taskId && entry.kind === "lease")?.atMs;
}

/** Checks of leases. */
export const LEASE_CHECKS: readonly Check<ShortTermStore>[] = [
  {
    title: "events are appended under the task's lease, and by callers that name none",
    async run(store) {
      await createLeased(store, "t");
      assert((await publish(store, "t", FIRST, draft(1))).ok);
      assert((await publish(store, "t", undefined, draft(2))).ok);
      const incarnation = INCARNATION;
      const expect = { live: true, incarnation } as const;
      assert((await commit(store, { taskId: "t", expect, lease: FIRST, events: [draft(3)] })).ok);
      assert.deepEqual(await values(store, "t"), [1, 2, 3]);
    },
  },
  {
    title: "a batch under another lease is refused and leaves no trace",
    async run(store) {
      await createLeased(store, "t");
      const series = { seriesId: "s", seriesMode: "latest" } as const;
      const batch = [
        draft(1, { ...series, producer: { id: "p", epoch: 0, seq: 0 } }),
        draft(2, { producer: { id: "p", epoch: 0, seq: 1 } }),
      ];
      assertRefused(await publish(store, "t", SECOND, ...batch), { code: "LEASE_LOST" });
      assert.deepEqual(await values(store, "t"), []);
      const other = draft(3, { ...series, seriesMode: "keep-all" });
      assert((await publish(store, "t", FIRST, other)).ok, "the series has no mode yet");
      const first = draft(4, { producer: { id: "p", epoch: 0, seq: 0 } });
      const result = await publish(store, "t", FIRST, first);
      assert(result.ok && result.events[0]!.index === 1, "the producer is new");
    },
  },
  {
    title: "a lease is lost if the task has none, or has another incarnation",
    async run(store) {
      assert(
        (await commit(store, {
          taskId: "t",
          expect: "absent",
          record: leased("t", undefined),
          due: {},
        })).ok,
      );
      assert(await isRefusedAsLost(store, "t", FIRST));
      await store.deleteTask("t");
      assertRefused(await publish(store, "t", FIRST, draft()), { code: "ABSENT" });
      await createLeased(store, "t", SECOND);
      assert(await isRefusedAsLost(store, "t", FIRST));
    },
  },
  {
    title: "an ended task refuses events as terminal, whatever lease they name",
    async run(store) {
      await createLeased(store, "t");
      const ended = leased("t", undefined, 2, { status: "completed" });
      assert((await replaceAt(store, ended)).ok);
      for (const lease of [FIRST, SECOND]) {
        const result = await publish(store, "t", lease, draft());
        assertRefused(result, { code: "TERMINAL", status: "completed" });
      }
    },
  },
  {
    title: "a repeated event is acknowledged under a lost lease",
    async run(store) {
      await createLeased(store, "t");
      const sent = () => draft("once", { producer: { id: "p", epoch: 0, seq: 0 } });
      assert((await publish(store, "t", FIRST, sent())).ok);
      assert((await replaceAt(store, leased("t", SECOND, 2), { due: { lease: NOW + 99 } })).ok);
      const again = await publish(store, "t", FIRST, sent());
      assert(again.ok && again.events[0]!.index === 0 && again.from === again.length);
      assert.deepEqual(await values(store, "t"), ["once"]);
    },
  },
  {
    title: "a lease gives way to the next one, and to a record without one",
    async run(store) {
      await createLeased(store, "t");
      assert((await replaceAt(store, leased("t", SECOND, 2), { due: { lease: NOW + 20 } })).ok);
      assert(await isRefusedAsLost(store, "t", FIRST));
      assert((await publish(store, "t", SECOND, draft())).ok);
      assert((await replaceAt(store, leased("t", undefined, 3))).ok);
      assert(await isRefusedAsLost(store, "t", SECOND));
      assert((await publish(store, "t", undefined, draft())).ok);
      assert.equal(await leaseDue(store, "t"), undefined);
    },
  },
  {
    title: "renew() moves the expiry of the leases that tasks have, and of no others",
    async run(store) {
      await createLeased(store, "t");
      const ended = leased("ended", undefined, 2, { status: "failed" });
      await createLeased(store, "ended");
      assert((await replaceAt(store, ended)).ok);
      assert.equal(await renewed(store, "t", FIRST, NOW + 50), true);
      assert.equal(await leaseDue(store, "t"), NOW + 50);
      assert.equal(await renewed(store, "t", SECOND, NOW + 90), false);
      assert.equal(await renewed(store, "ended", FIRST, NOW + 90), false);
      assert.equal(await renewed(store, "unknown", FIRST, NOW + 90), false);
      assert.deepEqual(await store.due(NOW + 100, 10), {
        entries: [{ kind: "lease", taskId: "t", atMs: NOW + 50 }],
      });
      assert.equal(await renewed(store, "t", FIRST, NOW + 5), true, "an expiry may be earlier");
      assert.equal(await leaseDue(store, "t"), NOW + 5);
    },
  },
  {
    title: "renew() sets the expiry of a lease that has none, and leaves other times alone",
    async run(store) {
      await createLeased(store, "t", FIRST, { deadline: NOW + 70 });
      assert.equal(await leaseDue(store, "t"), undefined);
      assert.equal(await renewed(store, "t", FIRST, NOW + 30), true);
      assert.deepEqual(await store.due(NOW + 100, 10), {
        entries: [
          { kind: "lease", taskId: "t", atMs: NOW + 30 },
          { kind: "deadline", taskId: "t", atMs: NOW + 70 },
        ],
      });
    },
  },
  {
    title: "renew() is not a commit: version, log and schedule stay",
    async run(store) {
      await createLeased(store, "t");
      assert((await publish(store, "t", FIRST, draft())).ok);
      const before = await store.getTask("t");
      assert.equal(await renewed(store, "t", FIRST, NOW + 50), true);
      assert.deepEqual(await store.getTask("t"), before);
      assert.deepEqual(await store.scheduled("archive", { limit: 9 }), []);
      const next = leased("t", FIRST, 2);
      assert((await replaceAt(store, next, { due: { lease: "keep" } })).ok, "version 1 is current");
    },
  },
  {
    title: "renew() answers many renewals in order",
    async run(store) {
      const ids = Array.from({ length: 250 }, (_, i) => `t${i}`);
      await Promise.all(ids.map((id) => createLeased(store, id)));
      const renewals = ids.flatMap((taskId, i) => [
        { taskId, lease: i % 3 === 0 ? SECOND : FIRST, untilMs: NOW + 100 + i },
        { taskId: `no${i}`, lease: FIRST, untilMs: NOW },
      ]);
      const expected = ids.flatMap((_, i) => [i % 3 !== 0, false]);
      assert.deepEqual(await leasesOf(store).renew(renewals), expected);
      const { entries } = await store.due(NOW + 1_000, 1_000);
      assert.deepEqual(
        entries.map(({ taskId, atMs }) => `${taskId} ${atMs - NOW}`).toSorted(),
        ids.map((id, i) => `${id} ${i % 3 === 0 ? 10 : 100 + i}`).toSorted(),
      );
      assert.deepEqual(await leasesOf(store).renew([]), []);
    },
  },
  {
    title: "a lease that is renewed twice in one call has the expiry of the last renewal",
    async run(store) {
      await createLeased(store, "t");
      const renewals = [50, 60].map((ms) => ({ taskId: "t", lease: FIRST, untilMs: NOW + ms }));
      assert.deepEqual(await leasesOf(store).renew(renewals), [true, true]);
      assert.equal(await leaseDue(store, "t"), NOW + 60);
    },
  },
  {
    title: "a commit that expects an expired lease is refused until it has expired",
    async run(store) {
      await createLeased(store, "t");
      const failed = leased("t", undefined, 2, { status: "failed" });
      assertRefused(await replaceAt(store, failed, { leaseBy: NOW + 9 }), { code: "NOT_DUE" });
      assert.deepEqual(await values(store, "t"), []);
      assert.equal((await store.getTask("t"))!.record.version, 1);
      assert.equal(await renewed(store, "t", FIRST, NOW + 40), true);
      assertRefused(await replaceAt(store, failed, { leaseBy: NOW + 39 }), { code: "NOT_DUE" });
      assert((await replaceAt(store, failed, { leaseBy: NOW + 40, events: [draft("lost")] })).ok);
      assert.deepEqual(await values(store, "t"), ["lost"]);
      assertRefused(await replaceAt(store, failed, { leaseBy: NOW + 40 }), { code: "CONFLICT" });
    },
  },
  {
    title: "a lease without expiry never expires",
    async run(store) {
      await createLeased(store, "t", FIRST, {});
      const failed = leased("t", undefined, 2, { status: "failed" });
      const leaseBy = Number.MAX_SAFE_INTEGER;
      assertRefused(await replaceAt(store, failed, { leaseBy }), { code: "NOT_DUE" });
    },
  },
  {
    title: "a lease is either renewed or ended, never both",
    async run(store) {
      for (let round = 0; round < 30; round++) {
        const taskId = `t${round}`;
        await createLeased(store, taskId);
        const failed = leased(taskId, undefined, 2, { status: "failed" });
        const [isRenewed, ended] = await Promise.all([
          renewed(store, taskId, FIRST, NOW + 1_000),
          replaceAt(store, failed, { leaseBy: NOW + 10 }),
        ]);
        assert.notEqual(isRenewed, ended.ok);
        assert.equal(await leaseDue(store, taskId), ended.ok ? undefined : NOW + 1_000);
      }
    },
  },
  {
    title: "a record replaces the expiry of the lease, keeps it, or removes it",
    async run(store) {
      await createLeased(store, "t");
      const replace = async (version: number, due: DueTimes) => {
        assert((await replaceAt(store, leased("t", FIRST, version), { due })).ok);
        return await leaseDue(store, "t");
      };
      assert.equal(await replace(2, { lease: NOW + 20 }), NOW + 20);
      assert.equal(await replace(3, { lease: "keep" }), NOW + 20);
      assert.equal(await renewed(store, "t", FIRST, NOW + 30), true);
      assert.equal(await replace(4, { deadline: NOW + 1, lease: "keep" }), NOW + 30);
      assert.equal(await replace(5, {}), undefined);
      assert.equal(await replace(6, { lease: "keep" }), undefined, "nothing is left to keep");
      await createLeased(store, "new", FIRST, { lease: "keep" });
      assert.equal(await leaseDue(store, "new"), undefined);
    },
  },
  {
    title: "due() returns times of all kinds in order",
    async run(store) {
      await createLeased(store, "a", FIRST, { lease: NOW + 2, deadline: NOW + 5, wake: NOW + 3 });
      await createLeased(store, "b", FIRST, { lease: NOW + 4, deadline: NOW + 1 });
      const { entries, nextAtMs } = await store.due(NOW + 4, 10);
      const found = entries.map(({ kind, taskId, atMs }) => `${kind} ${taskId} ${atMs - NOW}`);
      assert.deepEqual(found, ["deadline b 1", "lease a 2", "wake a 3", "lease b 4"]);
      assert.equal(nextAtMs, NOW + 5);
    },
  },
  {
    title: "a deleted task is due for nothing, and its lease cannot be renewed",
    async run(store) {
      await createLeased(store, "t");
      assert.equal(await store.deleteTask("t"), true);
      assert.equal(await renewed(store, "t", FIRST, NOW + 50), false);
      assert.deepEqual(await store.due(NOW + 100, 10), { entries: [] });
      await createLeased(store, "t", SECOND, {});
      assert.equal(await leaseDue(store, "t"), undefined);
    },
  },
];

/** The check of a store without leases. */
export const NO_LEASE_CHECKS: readonly Check<ShortTermStore>[] = [
  {
    title: "a store without leases says so",
    run(store) {
      assert.equal(store.leases, undefined);
      return Promise.resolve();
    },
  },
];
