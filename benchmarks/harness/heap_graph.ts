import type { HeapSnapshot } from "./heap_snapshot.ts";

/** A reference between two objects, which are named by where they begin in `nodes`. */
export interface HeapReference {
  from: number;
  to: number;
  /** To V8, e.g. `property` or `element`. */
  type: string;
  /** Of the property; nothing for elements of arrays, which have numbers. */
  name: string | undefined;
}

/** Calls `visit` with all references of a heap; the object that it is given is used again. */
export function visitReferences(
  { snapshot: { meta }, nodes, edges, strings }: HeapSnapshot,
  visit: (reference: Readonly<HeapReference>) => void,
): void {
  const { node_fields: { length: nodeWidth }, edge_fields: { length: width } } = meta;
  const edgeCount = meta.node_fields.indexOf("edge_count");
  const [type, name, to] = ["type", "name_or_index", "to_node"]
    .map((field) => meta.edge_fields.indexOf(field));
  const [types] = meta.edge_types;
  const reference: HeapReference = { from: 0, to: 0, type: "", name: undefined };
  let edge = 0;
  for (let from = 0; from < nodes.length; from += nodeWidth) {
    reference.from = from;
    for (const end = edge + nodes[from + edgeCount]! * width; edge < end; edge += width) {
      reference.type = types[edges[edge + type!]!]!;
      reference.to = edges[edge + to!]!;
      const numbered = reference.type === "element" || reference.type === "hidden";
      reference.name = numbered ? undefined : strings[edges[edge + name!]!];
      visit(reference);
    }
  }
}

/** Returns what V8 says that an object is, and the name of its constructor or function. */
export function nodeOf(
  { snapshot: { meta }, nodes, strings }: HeapSnapshot,
  node: number,
): { type: string; name: string } {
  const { node_fields: fields, node_types: [types] } = meta;
  return {
    type: types[nodes[node + fields.indexOf("type")]!]!,
    name: strings[nodes[node + fields.indexOf("name")]!]!,
  };
}
