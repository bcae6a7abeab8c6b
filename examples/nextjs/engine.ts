import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import process from "node:process";

// Next loads modules again when they change, and once for each kind of route; what is global stays.
const kept = globalThis as typeof globalThis & { taskcastEngine?: TaskEngine };

/** The engine of this process. */
export const engine: TaskEngine = kept.taskcastEngine ??= startEngine();

function startEngine(): TaskEngine {
  const engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
  });
  // Next waits for open streams. This ends them, and their readers come back to the next process.
  process.once("SIGTERM", () => void engine.close());
  return engine;
}
