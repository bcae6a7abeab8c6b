import assert from "node:assert/strict";
import type { LongTermStore, ShortTermStore } from "@taskcast/core/adapter";
import {
  MemoryBroadcastProvider,
  MemoryLongTermStore,
  MemoryShortTermStore,
  TaskcastError,
  TaskEngine,
} from "@taskcast/core";
import { delayReads } from "@taskcast/core/conformance";
import { createPostgresAdapter } from "@taskcast/postgres";
import { createRedisAdapters } from "@taskcast/redis";
import { createSqliteAdapters } from "@taskcast/sqlite";
import { postgresUrl } from "../../testing/databases/postgres_server.ts";
import { redisUrl } from "../../testing/databases/redis_server.ts";
import { until } from "../../testing/sse/sse.ts";

// Several engines publish, end and delete the same tasks while the archive copies and releases them
// as soon as it can.

const TASKS = 60;
const redis = await redisUrl();
const postgres = await postgresUrl();

interface Stores {
  shortTerm: ShortTermStore;
  longTerm: LongTermStore;
}

/** Delays writes to an archive, so that their tasks may be deleted meanwhile. */
function distant(archive: LongTermStore, ticks: number): LongTermStore {
  return new Proxy(delayReads(archive, ticks), {
    get(target, name) {
      const method = Reflect.get(target, name, target);
      if (name !== "archive") return method;
      return async (...args: Parameters<LongTermStore["archive"]>) => {
        for (let i = 0; i < 3 * ticks; i++) await new Promise((resolve) => setTimeout(resolve, 1));
        return await method(...args);
      };
    },
  });
}

async function race({ shortTerm, longTerm }: Stores): Promise<void> {
  const broadcast = new MemoryBroadcastProvider();
  const errors: unknown[] = [];
  const engines = [1, 2, 3].map((i) =>
    new TaskEngine({
      broadcast,
      shortTermStore: delayReads(shortTerm, i),
      longTermStore: distant(longTerm, 4 - i),
      options: { archiveDelayMs: 1, hotRetentionMs: 5, archiveBatch: 4, sweepMs: 5, pollMs: 5 },
      hooks: { onUnhandledError: (error) => void errors.push(error) },
    })
  );
  // A reader of a task that should be gone and is not would wait for ever.
  const signal = AbortSignal.timeout(20_000);
  const deleted = new Set<string>();
  const acknowledged = new Map<string, number[]>();
  const expected = new Set(["TASK_NOT_FOUND", "TASK_TERMINAL", "INVALID_TRANSITION"]);
  const attempt = async <T>(work: Promise<T>): Promise<T | undefined> => {
    try {
      return await work;
    } catch (error) {
      assert(error instanceof TaskcastError && expected.has(error.code), String(error));
      return undefined;
    }
  };
  await Promise.all(Array.from({ length: TASKS }, async (_, n) => {
    const id = `task${n}`;
    await engines[n % 3]!.createTask({ id });
    const mine: number[] = [];
    acknowledged.set(id, mine);
    const readers = engines.map((engine) => Array.fromAsync(engine.subscribe(id, { signal })));
    await Promise.all(engines.map(async (engine, e) => {
      for (let i = 0; i < 10; i++) {
        const data = 10 * e + i;
        await new Promise((resolve) => setTimeout(resolve, 1)); // Lets others run.
        const stored = await attempt(engine.publishEvent(id, { type: "n", data }));
        if (stored !== undefined) mine.push(data);
        if (n % 2 === 0 && e === 1 && i === 7) {
          deleted.add(id);
          await attempt(engine.deleteTask(id));
        }
      }
      await attempt(engine.transitionTask(id, "completed"));
    }));
    for (const reader of await Promise.all(readers)) {
      const done = reader.at(-1)!;
      assert(done.kind === "done", `${id}: a reader did not get the end`);
      if (done.reason !== "completed") assert.equal(done.reason, "deleted");
    }
  }));

  const isSettled = async () => {
    for (let n = 0; n < TASKS; n++) {
      if (await shortTerm.getTask(`task${n}`) !== undefined) return false;
    }
    return true;
  };
  await until(isSettled, "every hot copy is released");
  for (const [id, mine] of acknowledged) {
    const head = await longTerm.getTask(id);
    if (deleted.has(id)) {
      assert.equal(head, undefined, `${id} is gone`);
      continue;
    }
    const page = (await longTerm.readLog(id, { after: -1, limit: 100 }))!;
    assert.deepEqual(page.events.map(({ index }) => index), page.events.map((_, i) => i));
    const values = page.events.filter(({ type }) => type === "n").map(({ data }) => +data);
    assert.deepEqual(values.toSorted((a, b) => a - b), mine.toSorted((a, b) => a - b));
    assert.equal(head?.record.task.status, "completed");
  }
  assert.deepEqual(errors, []);
  for (const engine of engines) await engine.close();
  await Promise.all([shortTerm.close(), longTerm.close()]);
}

const kinds: [name: string, open: (() => Stores | Promise<Stores>) | undefined][] = [
  ["memory", () => ({
    shortTerm: new MemoryShortTermStore(),
    longTerm: new MemoryLongTermStore(),
  })],
  ["sqlite", () => createSqliteAdapters({ path: ":memory:" })],
  [
    "redis and postgres",
    redis === undefined || postgres === undefined ? undefined : async () => ({
      shortTerm: createRedisAdapters(redis).shortTerm,
      longTerm: await createPostgresAdapter({ url: postgres }),
    }),
  ],
];
for (const [name, open] of kinds) {
  if (open === undefined) continue;
  Deno.test({
    name: `${name}: publishing, ending and deleting race with the archive, and nothing is lost`,
    sanitizeResources: false, // Redis subscriptions that are not used here stay open.
    sanitizeOps: false,
    fn: async () => await race(await open()),
  });
}
