import assert from "node:assert/strict";
import type { ArchivePart, ArchivePosition, LongTermStore } from "../contracts/long_term_store.ts";
import type { StoredEvent, TaskRecord } from "../contracts/records.ts";
import type { Commit, CommitResult, ShortTermStore } from "../contracts/short_term_store.ts";
import { MemoryShortTermStore } from "../memory/short_term_store.ts";
import { append, create, delta, draft, INCARNATION, log, NOW, record } from "./store_fixtures.ts";
import { DIVERGENCE_CHECKS } from "./store_divergence.ts";
import { FOLD_CHECKS } from "./store_folds.ts";
import { LIST_CHECKS } from "./store_list.ts";
import { READ_CHECKS } from "./store_read.ts";
import { SERIES_CHECKS } from "./store_series.ts";
import { TRIM_CHECKS } from "./store_trim.ts";
import type { Check, ConformanceOptions } from "./suite.ts";
import { register } from "./suite.ts";

const ARCHIVE_METHODS = [
  "getTask",
  "listTasks",
  "readLog",
  "readFolds",
  "countMatches",
  "trimLog",
] as const satisfies readonly (keyof LongTermStore)[];

/** A short-term store that archives each commit before it answers, and reads from the archive. */
class ReadsFromArchive extends MemoryShortTermStore {
  readonly #archive: LongTermStore;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(archive: LongTermStore) {
    super();
    this.#archive = archive;
    for (const name of ARCHIVE_METHODS) {
      Object.defineProperty(this, name, { value: archive[name].bind(archive) });
    }
  }

  override commit(commit: Commit): Promise<CommitResult> {
    const committed = this.#writing.then(async () => {
      const result = await super.commit(commit);
      if (!result.ok) return result;
      const { record } = (await MemoryShortTermStore.prototype.getTask.call(this, commit.taskId))!;
      const events = result.events.filter(({ index }) => index >= result.from);
      await this.#archive.archive([{ record, events }]);
      return result;
    });
    this.#writing = committed.catch(() => {});
    return committed;
  }

  override async deleteTask(taskId: string): Promise<boolean> {
    await this.#archive.deleteTask(taskId, INCARNATION);
    return await super.deleteTask(taskId);
  }

  override async close(): Promise<void> {
    await this.#archive.close();
  }
}

/** Returns a task and a log with events of all kinds, as an archive receives them. */
async function sample(): Promise<{ record: TaskRecord; events: StoredEvent[] }> {
  const store: ShortTermStore = new MemoryShortTermStore();
  await create(store, "t", { tags: ["a"], ttl: 5, reason: "why", params: { "\0": "\ud83d" } });
  for (let i = 0; i < 8; i++) {
    await append(store, "t", draft({ i }), delta(`${i}\ud83d`), draft(i, { type: "a.b" }));
  }
  return { record: (await store.getTask("t"))!.record, events: await log(store, "t") };
}

function version(record: TaskRecord, version: number, changes: object): TaskRecord {
  return { ...record, version, task: { ...record.task, ...changes } };
}

const WHERE = [{ taskId: "t", incarnation: INCARNATION }];

/** Returns the position of an archive that has the first `length` events. */
function positionAt(events: readonly StoredEvent[], length: number): ArchivePosition {
  return { version: 1, length, ...(length > 0 && { entropy: events[length - 1]!.entropy }) };
}

const ARCHIVE_CHECKS: readonly Check<LongTermStore>[] = [
  {
    title: "archive() takes a log in parts and returns its position",
    async run(store) {
      const { record, events } = await sample();
      assert.deepEqual(await store.positions(WHERE), [{ version: 0, length: 0 }]);
      for (let at = 0; at < events.length; at += 5) {
        const part = { record, events: events.slice(at, at + 5) };
        const position = positionAt(events, Math.min(at + 5, events.length));
        assert.deepEqual(await store.archive([part]), [position]);
        assert.deepEqual(await store.positions(WHERE), [position]);
      }
      assert.deepEqual((await store.readLog("t", { after: -1, limit: 99 }))?.events, events);
      assert.deepEqual(await store.getTask("t"), { record, length: events.length });
    },
  },
  {
    title: "archive() keeps every field of a task",
    async run(store) {
      const full: TaskRecord = {
        incarnation: INCARNATION,
        version: 7,
        deadlineAt: NOW + 5,
        ttlRemainingMs: 3,
        traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        task: {
          ...record("t").task,
          type: "llm.chat",
          params: { b: 1, a: [null, "\0", "\ud83d"] },
          metadata: { who: "me" },
          result: { answer: 42.5 },
          error: { code: "E", message: "m", details: { x: 1 } },
          tags: ["a", "b"],
          ttl: 5,
          reason: "waits",
          blockedRequest: { type: "approval", data: { q: "?" } },
          resumeAt: NOW + 9,
          completedAt: NOW + 8,
        },
      };
      await store.archive([{ record: full, events: [] }]);
      assert.deepEqual(await store.getTask("t"), { record: full, length: 0 });
      assert.deepEqual((await store.listTasks({ limit: 1, tag: "b" })).tasks, [full]);
    },
  },
  {
    title: "archive() may be repeated, overlap, be late, and come from several callers",
    async run(store) {
      const { record: old, events } = await sample();
      const record = version(old, 3, { status: "running", updatedAt: NOW + 1 });
      const parts: ArchivePart[] = [
        { record, events: events.slice(0, 9) },
        { record: old, events: events.slice(0, 4) },
        { record: old, events: events.slice(5, 12) },
        { record, events: events.slice(9) },
        { record, events: [] },
      ];
      for (const part of [...parts, ...parts]) await store.archive([part]);
      await Promise.all(Array.from({ length: 12 }, (_, i) => store.archive([parts[i % 5]!])));
      await store.archive([{ record, events: events.slice(12) }]);
      assert.deepEqual((await store.readLog("t", { after: -1, limit: 99 }))?.events, events);
      assert.deepEqual((await store.getTask("t"))?.record, record);
      const [fold] = (await store.readFolds("t", { after: -1, limit: 9 }))!.folds;
      assert.equal(fold?.text, Array.from({ length: 8 }, (_, i) => `${i}\ud83d`).join(""));
      const filter = { types: ["a.*"] };
      assert.deepEqual(await store.countMatches("t", filter, [24]), [8]);
      assert.deepEqual(await store.countMatches("t", filter, [24], record.incarnation), [8]);
      assert.equal(await store.countMatches("t", filter, [24], "another1"), undefined);
    },
  },
  {
    title: "archive() takes no events beyond a gap",
    async run(store) {
      const { record, events } = await sample();
      await store.archive([{ record, events: events.slice(0, 3) }]);
      const [position] = await store.archive([{ record, events: events.slice(6) }]);
      assert.deepEqual(position, positionAt(events, 3));
      assert.equal((await store.getTask("t"))?.length, 3);
    },
  },
  {
    title: "archive() keeps its events if it is given others with the same indexes",
    async run(store) {
      const { record, events } = await sample();
      await store.archive([{ record, events }]);
      const others = events.map((event) => ({ ...event, entropy: event.entropy + 1 }));
      const [position] = await store.archive([{ record, events: others }]);
      assert.deepEqual(position, positionAt(events, events.length));
      assert.deepEqual((await store.readLog("t", { after: -1, limit: 99 }))?.events, events);
    },
  },
  {
    title: "archive() takes parts of many tasks in one call",
    async run(store) {
      const { record: one, events } = await sample();
      const ids = Array.from({ length: 30 }, (_, i) => `t${i}`);
      const parts = ids.map((id, i) => ({
        record: { ...one, incarnation: `life${1000 + i}`, task: { ...one.task, id } },
        events: events.slice(0, i % 20),
      }));
      const positions = await store.archive(parts);
      assert.deepEqual(positions, ids.map((_, i) => positionAt(events, i % 20)));
      for (const [i, id] of ids.entries()) {
        const page = await store.readLog(id, { after: -1, limit: 99 });
        assert.deepEqual(page?.events, events.slice(0, i % 20));
      }
      assert.equal((await store.listTasks({ limit: 100 })).tasks.length, 30);
    },
  },
  {
    title: "a deleted incarnation stays deleted, even if more of it arrives",
    async run(store) {
      const { record, events } = await sample();
      await store.archive([{ record, events }]);
      assert.equal(await store.deleteTask("t", "another0"), false);
      assert.equal((await store.getTask("t"))?.length, events.length);
      assert.equal(await store.deleteTask("t", INCARNATION), true);
      assert.equal(await store.deleteTask("t", INCARNATION), false);
      assert.deepEqual(await store.archive([{ record, events }]), [{ deleted: true }]);
      assert.deepEqual(await store.positions(WHERE), [{ deleted: true }]);
      assert.equal(await store.getTask("t"), undefined);
      assert.equal(await store.readLog("t", { after: -1, limit: 1 }), undefined);
      assert.equal(await store.readFolds("t", { after: -1, limit: 1 }), undefined);
      assert.equal(await store.countMatches("t", {}, [1]), undefined);
      assert.deepEqual(await store.listTasks({ limit: 9, tag: "a" }), { tasks: [], more: false });
      // A part of an incarnation that was deleted before anything was archived is not restored
      // either.
      const never = { ...record, incarnation: "never000", task: { ...record.task, id: "n" } };
      assert.equal(await store.deleteTask("n", "never000"), false);
      await store.archive([{ record: never, events }]);
      assert.equal(await store.getTask("n"), undefined);
    },
  },
  {
    title: "archive() does not bring back trimmed events, and continues after them",
    async run(store) {
      const { record, events } = await sample();
      await store.archive([{ record, events: events.slice(0, 20) }]);
      assert.equal(await store.trimLog("t", INCARNATION, { indexes: [0, 3, 6], series: [] }), 3);
      await store.archive([{ record, events }]);
      await store.archive([{ record, events: events.slice(0, 9) }]);
      const page = await store.readLog("t", { after: -1, limit: 99 });
      assert.deepEqual(page?.events, events.filter(({ index }) => ![0, 3, 6].includes(index)));
      assert.deepEqual(await store.positions(WHERE), [positionAt(events, events.length)]);
      assert.deepEqual(await store.countMatches("t", { types: ["step"] }, [events.length]), [
        events.filter(({ type }) => type === "step").length,
      ]);
    },
  },
  {
    title: "archive() schedules clean-up, which one caller claims and which ends with the task",
    async run(store) {
      const { record, events } = await sample();
      const claim = async (nowMs: number) =>
        await store.claim("clean", { nowMs, untilMs: nowMs + 100, limit: 9 });
      await store.archive([{ record, events }]);
      assert.deepEqual(await claim(NOW), { taskIds: [] });
      await store.archive([{ record, events, cleanAtMs: NOW + 5 }]);
      await store.archive([{ record, events, cleanAtMs: NOW + 1 }]); // The first time remains.
      assert.deepEqual(await claim(NOW), { taskIds: [], nextAtMs: NOW + 5 });
      const claims = await Promise.all([claim(NOW + 5), claim(NOW + 5), claim(NOW + 5)]);
      assert.deepEqual(claims.flatMap(({ taskIds }) => taskIds), ["t"]);
      assert.equal(await store.schedule("t", "clean", NOW + 7, { incarnation: "another0" }), false);
      assert.equal(await store.schedule("t", "clean", NOW + 7, { incarnation: INCARNATION }), true);
      assert.deepEqual((await claim(NOW + 7)).taskIds, ["t"], "claimed again when it is late");
      assert.equal(
        await store.schedule("t", "clean", undefined, { incarnation: INCARNATION }),
        true,
      );
      assert.deepEqual(await claim(NOW + 999), { taskIds: [] });
      await store.schedule("t", "clean", NOW, { incarnation: INCARNATION });
      await store.deleteTask("t", INCARNATION);
      assert.deepEqual(await claim(NOW + 999), { taskIds: [] });
      assert.equal(await store.schedule("t", "clean", NOW, { incarnation: INCARNATION }), false);
    },
  },
  {
    title: "of two incarnations of an id, the later one stays",
    async run(store) {
      const { record: first, events } = await sample();
      const second = { ...version(first, 1, { createdAt: NOW + 1 }), incarnation: "second00" };
      await store.archive([{ record: first, events }]);
      await store.archive([{ record: second, events: events.slice(0, 1) }]);
      assert.deepEqual(await store.archive([{ record: first, events }]), [{ deleted: true }]);
      const head = await store.getTask("t");
      assert.equal(head?.record.incarnation, "second00");
      assert.equal(head?.length, 1);
    },
  },
  {
    title:
      "an unconfirmed incarnation replaces no other, and the answer names the one that is there",
    async run(store) {
      const { record: first, events } = await sample();
      await store.archive([{ record: first, events }]);
      const other = { incarnation: INCARNATION, createdAt: NOW };
      for (const createdAt of [NOW - 1, NOW, NOW + 1]) {
        const second: TaskRecord = {
          ...version(first, 1, { createdAt }),
          incarnation: "second00",
          unconfirmed: true,
        };
        const held = { version: 0, length: 0, other };
        const where = { taskId: "t", incarnation: "second00" };
        assert.deepEqual(await store.archive([{ record: second, events: [] }]), [held]);
        assert.deepEqual(
          await store.archive([{ record: second, events: events.slice(0, 1) }]),
          [held],
        );
        assert.deepEqual(await store.positions([where, ...WHERE]), [
          held,
          positionAt(events, events.length),
        ]);
      }
      assert.deepEqual(await store.getTask("t"), { record: first, length: events.length });
      assert.deepEqual((await store.readLog("t", { after: -1, limit: 99 }))?.events, events);
      await store.deleteTask("t", INCARNATION);
      const third: TaskRecord = { ...first, incarnation: "third000", unconfirmed: true };
      assert.deepEqual(await store.archive([{ record: third, events }]), [
        positionAt(events, events.length),
      ]);
      assert.deepEqual((await store.getTask("t"))?.record, third);
    },
  },
  {
    title:
      "moveTask() moves an incarnation with its log and schedule to another id, and frees its own",
    async run(store) {
      const { record: first, events } = await sample();
      await store.archive([{ record: first, events, cleanAtMs: NOW + 5 }]);
      const moved: TaskRecord = {
        ...first,
        task: { ...first.task, id: "t@0123abcd", tags: ["a", "moved"] },
      };
      assert.equal(await store.moveTask("t", "another0", moved), false);
      assert.equal(await store.moveTask("none", INCARNATION, moved), false);
      assert.equal(await store.moveTask("t", INCARNATION, moved), true);
      assert.equal(await store.moveTask("t", INCARNATION, moved), false);
      assert.equal(await store.getTask("t"), undefined);
      assert.deepEqual(await store.getTask("t@0123abcd"), { record: moved, length: events.length });
      const page = await store.readLog("t@0123abcd", { after: -1, limit: 99 });
      assert.deepEqual(page?.events, events);
      assert.equal((await store.readFolds("t@0123abcd", { after: -1, limit: 9 }))?.folds.length, 1);
      assert.deepEqual(await store.countMatches("t@0123abcd", { types: ["a.*"] }, [24]), [8]);
      const second = { ...version(first, 1, { createdAt: NOW + 1 }), incarnation: "second00" };
      assert.deepEqual(await store.archive([{ record: second, events: events.slice(0, 3) }]), [
        positionAt(events, 3),
      ]);
      assert.deepEqual((await store.listTasks({ limit: 9, tag: "moved" })).tasks, [moved]);
      assert.deepEqual((await store.listTasks({ limit: 9, tag: "a" })).tasks, [second, moved]);
      const claimed = await store.claim("clean", { nowMs: NOW + 5, untilMs: NOW + 9, limit: 9 });
      assert.deepEqual(claimed.taskIds, ["t@0123abcd"]);
      assert.equal(await store.deleteTask("t@0123abcd", INCARNATION), true);
      assert.deepEqual((await store.listTasks({ limit: 9 })).tasks, [second]);
      assert.deepEqual(await store.claim("clean", { nowMs: NOW + 99, untilMs: NOW, limit: 9 }), {
        taskIds: [],
      });
    },
  },
];

/**
 * Registers the checks of a long-term store: it reads as a short-term store does, and writes that are
 * late, repeated or out of order do no harm.
 *
 * @example In the tests of your adapter
 * ```ts
 * import { testLongTermStore } from "@taskcast/core/conformance";
 * import { MemoryLongTermStore } from "@taskcast/core";
 *
 * const registered: string[] = [];
 * testLongTermStore({
 *   name: "my archive",
 *   open: () => new MemoryLongTermStore(),
 *   test: (name) => registered.push(name), // `Deno.test`, or `test` of `node:test`
 * });
 * ```
 */
export function testLongTermStore(options: ConformanceOptions<LongTermStore>): void {
  register(ARCHIVE_CHECKS, options);
  const reading = [...READ_CHECKS, ...DIVERGENCE_CHECKS, ...LIST_CHECKS];
  register([...SERIES_CHECKS, ...FOLD_CHECKS, ...reading, ...TRIM_CHECKS], {
    ...options,
    open: async () => new ReadsFromArchive(await options.open()),
  });
}
