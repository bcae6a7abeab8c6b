import type { ChunkSource } from "./chunk_source.ts";

/** A stream of encoded chunks. */
export interface TaskStream<Chunk> {
  /** Set if the reader's cursor is that of the end, so that there is nothing to send. */
  ended: boolean;
  /** The chunks. Nothing is read before the first is requested. */
  chunks: ChunkSource<Chunk>;
  /** Ends the stream and releases what it holds. Safe to call twice. */
  close(): void;
}
