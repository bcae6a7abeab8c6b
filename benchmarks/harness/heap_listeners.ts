import { nodeOf, visitReferences } from "./heap_graph.ts";
import type { HeapSnapshot } from "./heap_snapshot.ts";

/**
 * Counts the listeners in a heap: on `EventTarget`s, signals included, and on emitters of Node.
 *
 * They have no constructor, so they are known by how they are kept. Deno keeps a listener of an
 * `EventTarget` as `{ callback, options }`. An emitter has `_events`, where the only listener of a
 * type stands by itself and several stand in an array.
 */
export function countListeners(heap: HeapSnapshot): number {
  const withCallback = new Set<number>();
  const withOptions = new Set<number>();
  const emitted = new Set<number>();
  visitReferences(heap, ({ from, to, type, name }) => {
    if (type !== "property") return;
    if (name === "callback") withCallback.add(from);
    else if (name === "options") withOptions.add(from);
    else if (name === "_events") emitted.add(to);
  });
  let count = withCallback.intersection(withOptions).size;

  const several = new Set<number>();
  visitReferences(heap, ({ from, to, type, name }) => {
    if (type !== "property" || name === "__proto__" || !emitted.has(from)) return;
    if (nodeOf(heap, to).type === "closure") count++;
    else several.add(to);
  });
  visitReferences(heap, ({ from, type }) => {
    if (type === "element" && several.has(from)) count++;
  });
  return count;
}
