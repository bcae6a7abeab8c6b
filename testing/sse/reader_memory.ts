// Prints how many bytes of the heap each reader of a task takes while it waits.
//
//   deno run -A --v8-flags=--expose-gc testing/sse/reader_memory.ts
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import type { ChunkSource, ReadRequest } from "@taskcast/core/internal";
import { createTaskcastApp } from "@taskcast/server";
import { eventStreamOf } from "@taskcast/server/sse";

await using engine = new TaskEngine({
  broadcast: new MemoryBroadcastProvider(),
  shortTermStore: new MemoryShortTermStore(),
});
const app = createTaskcastApp({ engine });
await engine.createTask({ id: "t" });

/** Sink that accepts and discards everything, like a fast socket. */
class Waiting implements ReadRequest<Uint8Array> {
  readonly #source: ChunkSource<Uint8Array>;

  constructor(source: ChunkSource<Uint8Array>) {
    this.#source = source;
    source.read(this);
  }

  onChunk(): void {
    this.#source.read(this);
  }

  onEnd(): void {}

  onError(error: unknown): void {
    throw error;
  }
}

const readers: Waiting[] = [];

async function heapWith(count: number): Promise<number> {
  while (readers.length < count) {
    const response = await app.request("/tasks/t/events");
    readers.push(new Waiting(eventStreamOf(response)!));
  }
  const { gc } = globalThis as unknown as { gc: () => void };
  for (let i = 0; i < 3; i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve)); // Frees what awaiting retains.
  }
  return Deno.memoryUsage().heapUsed;
}

const [first, second] = [1_000, 5_000];
const before = await heapWith(first);
const bytes = (await heapWith(second) - before) / (second - first);
if (engine.stats.streams !== second) throw new Error(`${engine.stats.streams} are open`);
console.log(Math.round(bytes));
Deno.exit(0);
