import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";

// Next loads modules again when they change, and once for each kind of route; what is global stays.
const kept = globalThis as typeof globalThis & { taskcastEngine?: TaskEngine };

/** The engine of this process. */
export const engine: TaskEngine = kept.taskcastEngine ??= new TaskEngine({
  broadcast: new MemoryBroadcastProvider(),
  shortTermStore: new MemoryShortTermStore(),
});
