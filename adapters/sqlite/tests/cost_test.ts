import { DatabaseSync } from "node:sqlite";
import assert from "node:assert/strict";
import type { EventInput } from "@taskcast/core";
import type { LongTermStore } from "@taskcast/core/adapter";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import type { SqliteDatabase, SqliteStatement } from "../connection/driver.ts";
import { createSqliteAdapters } from "../mod.ts";

/** Returns a database that counts its statements. */
function counting(): { database: SqliteDatabase; costOf: typeof costOf } {
  const real = new DatabaseSync(":memory:");
  const counts = new Map<string, number>();
  const count = (sql: string) => {
    const [what, table] = /^\s*(\w+)(?:.*?(?:FROM|INTO|UPDATE) (\w+))?/s.exec(sql)!.slice(1);
    const name = /^(UPDATE|PRAGMA)/.test(sql)
      ? sql.split(" ", 2).join(" ")
      : [what, table].join(" ");
    counts.set(name.trim(), (counts.get(name.trim()) ?? 0) + 1);
  };
  const database: SqliteDatabase = {
    exec(sql) {
      count(sql);
      real.exec(sql);
    },
    prepare(sql): SqliteStatement {
      const statement = real.prepare(sql);
      const counted =
        (method: "run" | "get" | "all") => (...values: (string | number | null)[]) => {
          count(sql);
          return statement[method](...values);
        };
      return { run: counted("run"), get: counted("get"), all: counted("all") as never };
    },
    close: () => real.close(),
  };
  async function costOf(work: () => Promise<unknown>): Promise<Record<string, number>> {
    counts.clear();
    await work();
    return Object.fromEntries(counts);
  }
  return { database, costOf };
}

const PLAIN: EventInput = { type: "n", data: 0 };
const TOKEN: EventInput = {
  type: "llm.delta",
  data: { delta: "x" },
  seriesId: "s",
  seriesMode: "accumulate",
};
const OPTIONS = { sweepMs: 0 }; // Sweeps would be counted, too.

function hundred(event: EventInput): EventInput[] {
  return Array.from({ length: 100 }, () => event);
}

Deno.test("sqlite: what a publish asks of the file, for one event and for a hundred", async () => {
  const { database, costOf } = counting();
  const { broadcast, shortTerm } = createSqliteAdapters({ database });
  const engine = new TaskEngine({ broadcast, shortTermStore: shortTerm, options: OPTIONS });
  await engine.createTask({ id: "t" });
  await engine.publishEvents("t", [PLAIN, TOKEN]); // First uses cost a little more.

  const transaction = { "BEGIN": 1, "COMMIT": 1 };
  const write = { ...transaction, "PRAGMA data_version": 1 };
  assert.deepEqual(await costOf(() => engine.publishEvent("t", PLAIN)), {
    ...write,
    "INSERT events": 1,
  });
  // Sixteen events take one statement, and so do four; a class is recorded once per sixteen
  // indexes.
  assert.deepEqual(await costOf(() => engine.publishEvents("t", hundred(PLAIN))), {
    ...write,
    "INSERT events": 7,
    "INSERT class_blocks": 6,
  });
  const ofSeries = { "INSERT series": 1, "INSERT series_parts": 1 };
  assert.deepEqual(await costOf(() => engine.publishEvents("t", hundred(TOKEN))), {
    ...write,
    ...ofSeries,
    "INSERT events": 7,
    "INSERT class_blocks": 7,
  });
  // Publishes of one turn share the transaction.
  const turn = () => Promise.all(hundred(PLAIN).map((event) => engine.publishEvent("t", event)));
  assert.deepEqual(await costOf(turn), {
    ...write,
    "INSERT events": 100,
    "INSERT class_blocks": 7,
  });

  const page = await costOf(() => shortTerm.readLog("t", { after: -1, limit: 100 }));
  assert.deepEqual(page, {
    ...transaction,
    "SELECT tasks": 1,
    "SELECT classes": 1,
    "SELECT events": 1,
  });
  await engine.close();
  await shortTerm.close();
});

Deno.test("sqlite: of logs that were written to a thousand are remembered, and none of many parts", async () => {
  const { database, costOf } = counting();
  const { broadcast, shortTerm } = createSqliteAdapters({ database });
  const engine = new TaskEngine({ broadcast, shortTermStore: shortTerm, options: OPTIONS });
  const looks = async (id: string) => {
    const cost = await costOf(() => engine.publishEvent(id, PLAIN));
    return [cost["SELECT tasks"] ?? 0, cost["SELECT classes"] ?? 0];
  };
  await engine.createTask({ id: "t" });
  // A new class is looked up and gets a number.
  assert.deepEqual(await looks("t"), [1, 2]);
  assert.deepEqual(await looks("t"), [0, 0]);
  for (let i = 0; i < 1_000; i++) {
    await engine.createTask({ id: `t${i}` });
    await engine.publishEvent(`t${i}`, PLAIN);
  }
  assert.deepEqual(await looks("t"), [1, 1]);
  const series = Array.from({ length: 101 }, (_, i) => ({ ...PLAIN, seriesId: `s${i}` }));
  await engine.publishEvents("t", series);
  assert.deepEqual(await looks("t"), [1, 1]);
  assert.deepEqual(await looks("t"), [0, 0]);
  await engine.close();
  await shortTerm.close();
});

Deno.test("sqlite: what a hundred events cost on their way into the archive", async () => {
  const { database, costOf } = counting();
  const { longTerm } = createSqliteAdapters({ database });
  const shortTermStore = new MemoryShortTermStore();
  const broadcast = new MemoryBroadcastProvider();
  const engine = new TaskEngine({ broadcast, shortTermStore, options: OPTIONS });
  await engine.createTask({ id: "t" });
  await engine.publishEvents("t", hundred(TOKEN));
  const { record } = (await shortTermStore.getTask("t"))!;
  const { events } = (await shortTermStore.readLog("t", { after: -1, limit: 1_000 }))!;
  const archive = (longTerm: LongTermStore) => longTerm.archive([{ record, events }]);
  const cost = await costOf(() => archive(longTerm));
  assert.equal(cost["INSERT archived_events"], 7);
  delete cost["INSERT archived_events"];
  const others = Object.values(cost).reduce((sum, count) => sum + count, 0);
  assert(others <= 20, JSON.stringify(cost));
  await engine.close();
  await longTerm.close();
});
