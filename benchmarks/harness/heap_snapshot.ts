/** As much of a heap snapshot of V8 as is read here. */
export interface HeapSnapshot {
  snapshot: {
    meta: {
      node_fields: string[];
      node_types: [string[], ...unknown[]];
      edge_fields: string[];
      edge_types: [string[], ...unknown[]];
    };
  };
  /** The fields of each object, one after the other. */
  nodes: number[];
  /** The fields of each reference: all those from the first object, then from the second… */
  edges: number[];
  strings: string[];
}

/** Objects of a kind. */
export interface HeapKind {
  objects: number;
  /** Without what they refer to. */
  bytes: number;
}

/** Counts what a heap holds: objects by their constructors, all else by what it is to V8. */
export function heapKinds({ snapshot: { meta }, nodes, strings }: HeapSnapshot): Map<
  string,
  HeapKind
> {
  const { node_fields: fields, node_types: [types] } = meta;
  const [type, name, size] = ["type", "name", "self_size"].map((field) => fields.indexOf(field));
  const kinds = new Map<string, HeapKind>();
  for (let at = 0; at < nodes.length; at += fields.length) {
    const kind = kindOf(types[nodes[at + type!]!]!, strings[nodes[at + name!]!]!);
    const known = kinds.get(kind) ?? { objects: 0, bytes: 0 };
    kinds.set(kind, known);
    known.objects++;
    known.bytes += nodes[at + size!]!;
  }
  return kinds;
}

function kindOf(type: string, name: string): string {
  if (name.startsWith("system / Context")) return "(variables of functions)"; // By where each stands.
  if (type === "closure") return `${name || "(anonymous)"}()`;
  return type === "object" || type === "native" || type === "object shape" ? name : `(${type})`;
}

/** What there is more of, for each of so many; most bytes first. */
export function heapGrowth(
  before: ReadonlyMap<string, HeapKind>,
  after: ReadonlyMap<string, HeapKind>,
  count: number,
): (HeapKind & { kind: string })[] {
  return [...after].map(([kind, { objects, bytes }]) => {
    const { objects: objectsBefore = 0, bytes: bytesBefore = 0 } = before.get(kind) ?? {};
    return {
      kind,
      objects: (objects - objectsBefore) / count,
      bytes: (bytes - bytesBefore) / count,
    };
  }).sort((a, b) => b.bytes - a.bytes);
}

/** What V8 itself makes and keeps: code that was compiled meanwhile, and what it knows of it. */
const OF_V8 =
  /^\((?!variables).*\)$|^system \/|^(InternalNode|InstanceInfo|WeakArrayList|DescriptorArray)/;

/** Kinds of objects of which there are at least so many more, most of them first. */
export function grownKinds(
  before: ReadonlyMap<string, HeapKind>,
  after: ReadonlyMap<string, HeapKind>,
  least: number,
): { kind: string; objects: number }[] {
  return heapGrowth(before, after, 1)
    .filter(({ kind, objects }) => objects >= least && !OF_V8.test(kind))
    .map(({ kind, objects }) => ({ kind, objects }))
    .sort((a, b) => b.objects - a.objects);
}

/**
 * Takes a snapshot of another process, garbage collected first.
 *
 * @param inspectorUrl Of its inspector, see https://chromedevtools.github.io/devtools-protocol/tot/HeapProfiler/.
 */
export async function takeHeapSnapshot(inspectorUrl: string): Promise<HeapSnapshot> {
  const socket = new WebSocket(inspectorUrl);
  await new Promise<unknown>((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  const chunks: string[] = [];
  const answers = new Map<number, () => void>();
  socket.onmessage = ({ data }) => {
    const { id, method, params } = JSON.parse(data);
    if (method === "HeapProfiler.addHeapSnapshotChunk") chunks.push(params.chunk);
    answers.get(id)?.();
  };
  const ask = (id: number, method: string) =>
    new Promise<void>((resolve, reject) => {
      answers.set(id, resolve);
      socket.onclose = () =>
        reject(new Error(`the inspector is gone before it answered ${method}`));
      socket.send(JSON.stringify({ id, method }));
    });
  await ask(1, "HeapProfiler.enable");
  await ask(2, "HeapProfiler.collectGarbage");
  await ask(3, "HeapProfiler.takeHeapSnapshot");
  await ask(4, "HeapProfiler.disable"); // Else V8 goes on noting where each object is.
  socket.close();
  return JSON.parse(chunks.join(""));
}
