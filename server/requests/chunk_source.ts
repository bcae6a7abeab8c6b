/** A source of bytes, read a chunk at a time. */
export interface ChunkSource {
  /** Returns the next chunk. Its memory may be reused for the one after it. */
  read(): Promise<{ done: true; value?: undefined } | { done: false; value: Uint8Array }>;
  cancel(): Promise<void>;
}

const MIN_BYTES = 4 * 1024;
const MAX_BYTES = 64 * 1024;

/**
 * Reads a body into a reused buffer where the runtime allows it. Otherwise each chunk is allocated
 * separately: on Deno 64 KiB, even for a line of a hundred bytes.
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
      // A full buffer suggests a large body, so the next buffer is larger.
      if (value.length === memory.byteLength && memory.byteLength < MAX_BYTES) {
        memory = new ArrayBuffer(2 * memory.byteLength);
      }
      return { done: false, value };
    },
    cancel: () => reader.cancel(),
  };
}
