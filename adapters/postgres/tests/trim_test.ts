import assert from "node:assert/strict";
import postgres from "postgres";
import type { Commit, EventDraft, ShortTermStore, StoredEvent } from "@taskcast/core/adapter";
import { MemoryShortTermStore } from "@taskcast/core";
import { seededRandom } from "../../../core/conformance/seeded_random.ts";
import { newSchema } from "../../../testing/databases/postgres_schema.ts";
import { postgresUrl } from "../../../testing/databases/postgres_server.ts";
import { createPostgresAdapters } from "../mod.ts";

const url = (await postgresUrl())!;
const test = url === undefined ? () => {} : Deno.test;

const INCARNATION = "0123abcd";
const MODES = ["keep-all", "latest", "accumulate"] as const;
/** All rows of a task must go with it, in every table. */
const TABLES = ["events", "trimmed", "folded_events", "classes", "series", "series_parts", "tasks"];

function commitOf(events: EventDraft[], status: "running" | "completed", version: number): Commit {
  const task = { id: "t", status, createdAt: 1, updatedAt: version };
  return {
    taskId: "t",
    expect: version === 1 ? "absent" : { version: version - 1, incarnation: INCARNATION },
    record: { task, incarnation: INCARNATION, version },
    due: {},
    events,
    nowMs: version,
    maxEvents: 1e6,
    maxBytes: 1e9,
  };
}

/** Returns events of four types, most of them of three series. */
function draftsOf(random: () => number, count: number): EventDraft[] {
  return Array.from({ length: count }, (_, i): EventDraft => {
    const type = `type.${Math.floor(random() * 4)}`;
    const draft = { entropy: i, type, level: "info" as const, data: `${i}` };
    const seriesMode = MODES[Math.floor(random() * 4)];
    if (seriesMode === undefined) return draft;
    const series = { seriesId: seriesMode, seriesMode, accField: "delta" };
    if (seriesMode !== "accumulate" || random() < 0.1) return { ...draft, ...series };
    return { ...draft, ...series, delta: `${i};`, data: `{"delta":"${i};"}` };
  });
}

/** Returns everything that a store says of the log; absent and undefined are the same. */
async function readingsOf(store: ShortTermStore, left: readonly number[]): Promise<unknown> {
  const everything = { after: -1, limit: 1_000 };
  const filter = { types: ["type.1", "type.2"] };
  const view = (await store.readFolds("t", { after: 5, limit: 99 }))!;
  return JSON.parse(JSON.stringify([
    (await store.getTask("t"))?.trimmedThrough,
    await store.readLog("t", everything),
    await store.readLog("t", { ...everything, backward: true }),
    await store.readLog("t", { ...everything, filter }),
    await store.readLog("t", { after: 7, through: 90, limit: 5, standalone: true, backward: true }),
    await store.countMatches("t", filter, left),
    await store.countMatches("t", { types: ["type.0"] }, left),
    view.folds.toSorted((a, b) => a.seriesId < b.seriesId ? -1 : 1),
  ]));
}

/** Returns the indexes that must be kept, by definition. */
function needed(all: readonly StoredEvent[], isGone: (index: number) => boolean): number[] {
  const classOf = ({ type, seriesMode }: StoredEvent) =>
    `${type} ${seriesMode === undefined || seriesMode === "keep-all"}`;
  return all.flatMap((event, index) => {
    if (!isGone(index)) return [];
    const behind = all.slice(index + 1).findIndex((next) =>
      !isGone(next.index) || classOf(next) === classOf(event)
    );
    const next = all[index + 1 + behind]!;
    return classOf(next) === classOf(event) ? [] : [index];
  });
}

for (const seed of [1, 2, 3, 4, 5, 6]) {
  test(`postgres: a trimmed log is read as memory reads it, seed ${seed}`, async () => {
    const random = seededRandom(seed);
    const database = await newSchema(url);
    const { broadcast, shortTerm } = await createPostgresAdapters({
      url: database,
      maxConnections: 2,
    });
    const memory = new MemoryShortTermStore();
    const sql = postgres(database, { max: 1, onnotice: () => {} });
    try {
      const length = 120;
      const drafts = draftsOf(random, length);
      for (const store of [shortTerm, memory]) {
        assert((await store.commit(commitOf(drafts, "running", 1))).ok);
        assert((await store.commit(commitOf([], "completed", 2))).ok);
      }
      const all = (await memory.readLog("t", { after: -1, limit: length }))!.events;
      const gone = new Set<number>();
      for (let round = 0; round < 12; round++) {
        // A run of the log, or scattered events.
        const from = Math.floor(random() * length);
        const isRun = random() < 0.5;
        const indexes = all.map(({ index }) => index).filter((index) =>
          index < length - 1 &&
          (isRun ? index >= from && index < from + 30 : random() < 0.05 * (round + 1))
        );
        const before = gone.size;
        for (const index of indexes) gone.add(index);
        const series = ["latest", "accumulate"].filter((id) =>
          all.every(({ index, seriesId }) => seriesId !== id || gone.has(index))
        );
        for (const store of [shortTerm, memory]) {
          const removed = await store.trimLog("t", INCARNATION, { indexes, series });
          assert.equal(removed, gone.size - before);
        }
        const left = all.map(({ index }) => index).filter((index) => !gone.has(index));
        const at = [...left, length];
        assert.deepEqual(await readingsOf(shortTerm, at), await readingsOf(memory, at));
        const rows = await sql<{ idx: number }[]>`SELECT idx FROM taskcast_live_trimmed ORDER BY 1`;
        assert.deepEqual(rows.map(({ idx }) => idx), needed(all, (index) => gone.has(index)));
      }
      assert.equal(
        await shortTerm.trimLog("t", INCARNATION, { indexes: [length - 1], series: [] }),
        0,
      );
      await shortTerm.deleteTask("t");
      for (const table of TABLES) {
        assert.deepEqual([...await sql`SELECT * FROM ${sql(`taskcast_live_${table}`)}`], [], table);
      }
    } finally {
      await Promise.all([shortTerm.close(), broadcast.close(), sql.end()]);
    }
  });
}
