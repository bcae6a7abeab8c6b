import { nodeOf, visitReferences } from "./heap_graph.ts";
import { heapKinds } from "./heap_snapshot.ts";
import type { HeapSnapshot } from "./heap_snapshot.ts";

/**
 * Counts the timers in a heap.
 *
 * Deno makes a `Timeout` for each of `setTimeout()` and `setInterval()`, its own and those of
 * `node:timers`, and holds it until it has gone off or is cleared; but of `AbortSignal.timeout()`
 * only the signal knows.
 */
export function countTimers(heap: HeapSnapshot): number {
  let count = heapKinds(heap).get("Timeout")?.objects ?? 0;
  visitReferences(heap, ({ to, name }) => {
    // Signals without a timer have null there.
    if (name === "<symbol [[timerId]]>" && nodeOf(heap, to).type === "object") count++;
  });
  return count;
}
