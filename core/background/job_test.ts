import assert from "node:assert/strict";
import { fakeClock } from "../../testing/fake_clock.ts";
import { MemoryBroadcastProvider } from "../memory/broadcast.ts";
import { MemoryShortTermStore } from "../memory/short_term_store.ts";
import { createContext } from "../engine/create_context.ts";
import { Job } from "./job.ts";

Deno.test("a job makes one timer a round, also when it knows of something that is due later", async () => {
  const clock = fakeClock();
  const startMs = clock.now();
  const delaysMs: number[] = [];
  const context = createContext({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
    clock: {
      ...clock,
      setTimeout(callback, delayMs) {
        delaysMs.push(delayMs);
        return clock.setTimeout(callback, delayMs);
      },
    },
    options: { sweepMs: 1_000 },
  }, (error) => assert.fail(String(error)));
  const dueMs = startMs + 3_500;
  const rounds: number[] = [];
  const job = new Job(context, {
    operation: "job",
    round: () => {
      rounds.push(clock.now() - startMs);
      job.expect(startMs + 3_600_000); // E.g. by a commit in the meantime.
      if (rounds.length === 5) job.expect(startMs + 4_200);
      return Promise.resolve({ again: false, nextAtMs: clock.now() < dueMs ? dueMs : undefined });
    },
  });
  await job.run();
  await clock.pass(4_500);
  assert.deepEqual(rounds, [0, 1_000, 2_000, 3_000, 3_500, 4_200]);
  assert.deepEqual(delaysMs, [1_000, 1_000, 1_000, 500, 700, 1_000]);
  await job.close();
});
