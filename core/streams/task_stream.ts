import type { ChunkSource } from "./chunk_source.ts";

/** A stream of chunks as an encoder makes them. */
export interface TaskStream<Chunk> {
  /** The reader came with the cursor of the end: there is nothing to send. */
  ended: boolean;
  /** The chunks; nothing is read before the first is asked for. */
  chunks: ChunkSource<Chunk>;
  /** Ends the stream and releases what it holds. Safe to call twice. */
  close(): void;
}
