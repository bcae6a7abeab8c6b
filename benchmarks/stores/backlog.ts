import type { LongTermStore } from "@taskcast/core/adapter";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import { BATCH, createTasks, EVENT, LIMITS } from "./load.ts";
import { pause } from "../harness/measure.ts";

/** Tasks that share the events. */
const TASKS = 20;

/** Events in memory that wait to be archived. */
export interface Backlog {
  /** Number of events: the requested number or a few more. */
  count: number;
  /** Creates them; returns a function that archives all of them and returns the seconds it took. */
  fill(): Promise<(archive: LongTermStore) => Promise<number>>;
}

/** Describes a backlog of at least `atLeast` events. */
export function backlogOf(atLeast: number): Backlog {
  const count = Math.ceil(atLeast / TASKS / BATCH) * BATCH * TASKS;
  return {
    count,
    async fill() {
      const broadcast = new MemoryBroadcastProvider();
      const shortTermStore = new MemoryShortTermStore();
      const parts = { broadcast, shortTermStore, limits: LIMITS };
      const before = new TaskEngine(parts);
      const events = Array.from({ length: BATCH }, () => EVENT);
      for (const id of await createTasks(before, TASKS)) {
        for (let i = 0; i < count / TASKS; i += BATCH) await before.appendEvents(id, events);
      }
      await before.close();
      return async (longTermStore) => {
        const startedMs = performance.now();
        const engine = new TaskEngine({ ...parts, longTermStore });
        while (engine.stats.eventsArchived < count) await pause(1);
        const seconds = (performance.now() - startedMs) / 1000;
        await engine.close();
        return seconds;
      };
    },
  };
}
