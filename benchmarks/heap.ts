// Tells what readers who wait hold in the server's heap, by two snapshots.
//
//   deno task bench:heap [--readers 2000] [--listener node] [--root FOLDER] [--bare]
import { parseArgs } from "node:util";
import { createTask } from "./harness/api.ts";
import { heapGrowth, heapKinds, takeHeapSnapshot } from "./harness/heap_snapshot.ts";
import type { Listener } from "./harness/server.ts";
import { startBare, startTaskcast } from "./harness/server.ts";
import { openReaders } from "./harness/sse_reader.ts";

const HELP = `Tells what readers who wait hold in the server's heap, as a table in Markdown.

  deno task bench:heap [options]

  --readers N         Default: 2000
  --listener NAME     deno or node. Default: deno
  --root FOLDER       of the server of another checkout of the repository, to compare versions
  --bare              of a server that only streams
  --help
`;

const { values } = parseArgs({
  args: Deno.args,
  options: {
    readers: { type: "string", default: "2000" },
    listener: { type: "string", default: "deno" },
    root: { type: "string" },
    bare: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const { listener, root, bare } = values;
const count = Number(values.readers);
const isListener = (name: string): name is Listener => name === "deno" || name === "node";
if (values.help || !(count >= 1) || !isListener(listener)) {
  console.log(HELP);
  Deno.exit(values.help ? 0 : 2);
}

await using server = bare
  ? await startBare(listener, { inspect: true })
  // The one default of old versions, which may not know the flag.
  : await startTaskcast(listener === "deno" ? [] : ["--listener", listener], {
    inspect: true,
    root,
  });
const url = bare
  ? `${server.url}/events`
  : `${server.url}/tasks/${await createTask(server.url)}/events`;
const open = (readers: number) => openReaders(readers, () => url, { bufferBytes: 1024 });
const kinds = async () => heapKinds(await takeHeapSnapshot(server.inspectorUrl!));
// What the first ones bring along is not theirs.
const readers = await open(200);
const before = await kinds();
readers.push(...await open(count));
const growth = heapGrowth(before, await kinds(), count);
for (const reader of readers) reader.close();

const total = growth.reduce((sum, { bytes }) => sum + bytes, 0);
console.log(
  [
    "| Of a reader | Objects | Bytes |",
    "| --- | ---: | ---: |",
    `| **all** | | **${Math.round(total)}** |`,
    ...growth.filter(({ bytes, objects }) => bytes >= 16 && objects >= 0.5)
      .map(({ kind, objects, bytes }) =>
        `| \`${kind.replaceAll("|", "\\|")}\` | ${objects.toFixed(1)} | ${Math.round(bytes)} |`
      ),
  ].join("\n"),
);
