import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import process from "node:process";

// Next loads this module several times: after a change, and for each kind of route. A global variable
// makes all of them use the same engine.
const globals = globalThis as typeof globalThis & { taskcastEngine?: TaskEngine };

/** The engine of this process. */
export const engine: TaskEngine = globals.taskcastEngine ??= startEngine();

function startEngine(): TaskEngine {
  const engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
  });
  // Next waits for open streams. This ends them, and their readers reconnect to the next process.
  process.once("SIGTERM", () => void engine.close());
  return engine;
}
