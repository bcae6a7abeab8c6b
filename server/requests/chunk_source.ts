/** Where bytes come from, a chunk at a time. */
export interface ChunkSource {
  /** The next chunk; its memory may be used again for the one after it. */
  read(): Promise<{ done: true; value?: undefined } | { done: false; value: Uint8Array }>;
  cancel(): Promise<void>;
}

const MIN_BYTES = 4 * 1024;
const MAX_BYTES = 64 * 1024;

/**
 * Reads a body into memory of ours where the runtime lets us. Otherwise each chunk comes in memory
 * of its own, which on Deno is 64 KiB, also for a line of a hundred bytes.
 */
export function chunkSource(body: ReadableStream<Uint8Array>): ChunkSource {
  let reader: ReadableStreamBYOBReader;
  try {
    reader = body.getReader({ mode: "byob" });
  } catch {
    return body.getReader() as ChunkSource;
  }
  let memory: ArrayBuffer = new ArrayBuffer(MIN_BYTES);
  return {
    async read() {
      const { value, done } = await reader.read(new Uint8Array(memory));
      if (done || value === undefined) return { done: true };
      memory = value.buffer as ArrayBuffer;
      // Who fills it sends much, and is worth more.
      if (value.length === memory.byteLength && memory.byteLength < MAX_BYTES) {
        memory = new ArrayBuffer(2 * memory.byteLength);
      }
      return { done: false, value };
    },
    cancel: () => reader.cancel(),
  };
}
