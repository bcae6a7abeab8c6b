import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import type { Commit, ShortTermStore, TaskRecord } from "@taskcast/core/adapter";
import type { SqliteDatabase, SqliteStatement, SqliteValue } from "../mod.ts";
import { createSqliteAdapters } from "../mod.ts";
import { IN_BLOCK } from "../rows/tables.ts";

const INCARNATION = "0123abcd";
const LENGTH = 12_000;

/** A database that records which statements were run, and how many rows they returned. */
class Watched implements SqliteDatabase {
  readonly inner = new DatabaseSync(":memory:");
  readonly statements = new Map<string, number>();
  runs = 0;
  rows = 0;

  exec(sql: string): void {
    this.inner.exec(sql);
  }

  prepare(sql: string): SqliteStatement {
    // Drivers differ in whether a positional value fills a numbered parameter.
    assert.doesNotMatch(sql, /\?\d/);
    const statement = this.inner.prepare(sql);
    const count = <T>(rows: number, result: T): T => {
      this.statements.set(sql, (this.statements.get(sql) ?? 0) + 1);
      this.runs++;
      this.rows += rows;
      return result;
    };
    return {
      run: (...values: SqliteValue[]) => count(0, statement.run(...values)),
      get(...values) {
        const row = statement.get(...values);
        return count(row === undefined ? 0 : 1, row);
      },
      all(...values) {
        const rows = statement.all(...values);
        return count(rows.length, rows);
      },
    };
  }

  close(): void {
    this.inner.close();
  }

  /** Returns the runs and rows of some work. */
  async costs(work: () => Promise<unknown>): Promise<{ runs: number; rows: number }> {
    const { runs, rows } = this;
    await work();
    return { runs: this.runs - runs, rows: this.rows - rows };
  }

  /** Returns the query plan of each statement that was run. */
  plans(): string[] {
    return [...this.statements.keys()].filter((sql) => !sql.startsWith("PRAGMA")).flatMap((sql) =>
      this.inner.prepare(`EXPLAIN QUERY PLAN ${sql}`).all()
        .map(({ detail }) => `${detail} <- ${sql}`)
    );
  }
}

/** Opens a store with an ended task and a long log of two alternating types. */
async function open(): Promise<{ database: Watched; store: ShortTermStore }> {
  const database = new Watched();
  const { shortTerm: store } = createSqliteAdapters({ database });
  const record = (status: "running" | "completed", version: number): TaskRecord => ({
    task: { id: "t", status, createdAt: 5, updatedAt: 5 },
    incarnation: INCARNATION,
    version,
  });
  const commit = async (change: Pick<Commit, "expect"> & Partial<Commit>) => {
    const bounds = { maxEvents: 1_000_000, maxBytes: 1_000_000 };
    assert((await store.commit({ taskId: "t", events: [], nowMs: 5, ...bounds, ...change })).ok);
  };
  const event = { level: "info", data: "1" } as const;
  await commit({ expect: "absent", record: record("running", 1) });
  await commit({
    expect: "live",
    events: Array.from({ length: LENGTH }, (_, i) => ({
      ...event,
      entropy: i,
      type: i % 2 ? "odd" : "even",
      producer: { id: "p", epoch: 0, seq: i },
      seriesId: `s${i % 3}`,
    })),
  });
  await commit({
    expect: { version: 1, incarnation: INCARNATION },
    record: record("completed", 2),
    events: [{ ...event, entropy: 0, type: "end" }],
  });
  return { database, store };
}

/** Trims all events but these and the last, a thousand at a time. Returns the cost of each step. */
async function trimAllBut(
  kept: readonly number[],
  database: Watched,
  store: ShortTermStore,
): Promise<number[]> {
  const gone = [...Array(LENGTH).keys()].filter((index) => !kept.includes(index));
  const costs: number[] = [];
  while (gone.length > 0) {
    const trim = { indexes: gone.splice(0, 1_000), series: [] };
    const { runs, rows } = await database.costs(() => store.trimLog("t", INCARNATION, trim));
    costs.push(runs + rows);
  }
  return costs;
}

Deno.test("sqlite: the rest of a long log is read in a few steps, whatever was trimmed", async () => {
  const { database, store } = await open();
  await trimAllBut([5_000, 9_001], database, store);
  const reads: [read: () => Promise<unknown>, most: number][] = [
    [() => store.readLog("t", { after: -1, limit: 100 }), 3 + 7],
    [() => store.readLog("t", { after: 6_000, limit: 100, backward: true }), 3 + 6],
    [() => store.readLog("t", { after: -1, limit: 100, maxBytes: 2 }), 4 + 9],
    [() => store.readLog("t", { after: -1, limit: 9, filter: { types: ["odd"] } }), 3 + 5],
    [() => store.readFolds("t", { after: -1, limit: 99 }), 2 + 1],
    [() => store.getTask("t"), 1 + 1],
    // Two lookups for each of two classes at each of two indexes.
    [() => store.countMatches("t", { types: ["odd", "even"] }, [5_000, 9_001]), 2 + 4 + 8 + 8],
  ];
  for (const [read, most] of reads) {
    const { runs, rows } = await database.costs(read);
    assert(runs + rows <= most, `${read}: ${runs} statements, ${rows} rows`);
  }
  await store.close();
});

Deno.test("sqlite: a step of trimming costs what it removes, regardless of the log", async () => {
  const { database, store } = await open();
  const every = Array.from({ length: LENGTH / 20 }, (_, i) => 20 * i);
  const steps = await trimAllBut(every, database, store);
  const most = Math.max(...steps.slice(0, -1));
  assert(most < 1.2 * steps[0]!, `${steps}`);
  const one = await database.costs(() =>
    store.trimLog("t", INCARNATION, { indexes: [6_000], series: [] })
  );
  assert(one.runs + one.rows < 30, JSON.stringify(one));
  await store.close();
});

Deno.test("sqlite: nothing that trims or reads what was trimmed scans or sorts", async () => {
  const { database, store } = await open();
  database.statements.clear();
  await trimAllBut([5_000, 9_001], database, store);
  for (const backward of [false, true]) {
    for (const filter of [undefined, { types: ["odd"] }]) {
      for (const maxBytes of [undefined, 2]) {
        await store.readLog("t", { after: -1, limit: 9, backward, filter, maxBytes });
      }
    }
  }
  await store.countMatches("t", { types: ["odd"] }, [5_000]);
  await store.readFolds("t", { after: -1, limit: 99 });
  await store.getTask("t");
  await store.schedule("t", "clean", 5, { incarnation: INCARNATION });
  await store.claim("clean", { nowMs: 5, untilMs: 6, limit: 1 });
  const plans = database.plans();
  const uses = (part: string) => plans.filter((plan) => plan.includes(part));
  for (const table of ["SEARCH trimmed", "SEARCH events", "SEARCH e ", "SEARCH producer_events"]) {
    const searches = uses(table);
    assert(searches.length > 0, table);
    // A lookup by the task alone would scan all its rows.
    for (const plan of searches) assert.match(plan, /\([^)]*\b(idx|rowid)[<=>][^)]*\) <- /, plan);
  }
  // Nor may a lookup for one class scan the others, except within one of its blocks.
  const ofClass = uses("class = ? AND");
  for (const table of ["trimmed", "b"]) {
    const searches = ofClass.filter((plan) => plan.startsWith(`SEARCH ${table} `));
    assert(searches.length > 0, table);
    for (const plan of searches) assert.match(plan, /\([^)]*\bclass=[^)]*\) <- /, plan);
  }
  const within = ofClass.filter((plan) => /^SEARCH (events|e) /.test(plan));
  assert(within.length > 0);
  for (const plan of within) {
    assert.match(plan, /\(rowid>\? AND rowid<\?\) <- /, plan);
    assert(plan.includes(IN_BLOCK), plan);
  }
  assert.deepEqual([...uses("SCAN "), ...uses("TEMP B-TREE")], []);
  await store.close();
});
