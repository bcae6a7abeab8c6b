import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { TaskEngine } from "@taskcast/core";
import { systemClock } from "@taskcast/core/adapter";
import { otherLocale } from "../../../testing/databases/locale.ts";
import { redisProgram, startRedis } from "../../../testing/databases/redis_server.ts";
import { createRedisAdapters } from "../mod.ts";

// Tests that text order in scripts, which depends on the locale of Redis, agrees with sorted sets.

const hasRedis = await redisProgram() !== undefined;
const test = hasRedis ? Deno.test : () => {}; // `conformance_test.ts` reports the skip.

test("redis: pages of tasks of the same age are complete under any locale", async () => {
  await using locale = await otherLocale();
  if (locale === undefined) {
    console.warn("\n*** no locale orders otherwise than by bytes here: nothing was tried ***\n");
    return;
  }
  await using redis = await startRedis({ env: locale.env });
  const admin = new Redis(redis.port);
  assert.equal(await admin.eval("return 'a' < 'B' and 1 or 0", 0), 1, "the locale is in use");
  admin.disconnect();
  const { broadcast, shortTerm } = createRedisAdapters(redis.url, { partitions: 2 });
  const clock = { ...systemClock, now: () => 1_800_000_000_000 };
  const engine = new TaskEngine({ broadcast, shortTermStore: shortTerm, clock });
  const ids = ["a", "B", "c", "D", "e", "F", "a-1", "a_1", "a1", "A1", "Z", "x.y", "ab", "a.b"];
  for (const id of ids) await engine.createTask({ id });
  for (const query of [{}, { status: ["pending" as const, "running" as const] }]) {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await engine.listTasks({ ...query, limit: 2, cursor });
      seen.push(...page.tasks.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    assert.deepEqual(seen, ids.toSorted().reverse());
  }
  await engine.close();
  await shortTerm.close();
  await broadcast.close();
});
