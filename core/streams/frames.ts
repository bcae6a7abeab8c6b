import type { StoredEvent } from "../contracts/records.ts";
import type { DoneMessage, OpenMessage } from "../protocol/stream.ts";

/** An event on its way to a reader. */
export interface EventFrame {
  /** The task. */
  taskId: string;
  /** The event, or a snapshot. */
  event: StoredEvent;
  /** Its position among the events that match. */
  filteredIndex: number;
  /** Where the reader stands after it; left out where streams cannot be resumed. */
  cursor?: string;
}

/**
 * Turns what a reader is to get into chunks of some kind: bytes of SSE, objects for embedders.
 * Readers whose encoders have the same `key` and whose filters are equal share encoded frames.
 */
export interface FrameEncoder<Chunk> {
  /** Encoders with the same key encode alike. */
  readonly key: string;
  /** The first chunk. */
  open(message: OpenMessage): Chunk;
  /**
   * A sign of life, with the newest cursor where streams can be resumed. `undefined`: this kind of
   * reader needs none.
   */
  heartbeat(cursor?: string): Chunk | undefined;
  /** The last chunk. */
  done(message: DoneMessage, cursor: string): Chunk;
  /** An empty buffer for event frames. */
  buffer(): FrameBuffer<Chunk>;
}

/** Event frames, encoded once, taken by any number of readers. Grows at its end only. */
export interface FrameBuffer<Chunk> {
  /** Where the next frame will begin; in whatever unit the buffer has. */
  readonly end: number;
  /** Bytes of memory, about. */
  readonly bytes: number;
  /** Encodes a frame at the end. */
  append(frame: EventFrame): void;
  /** Everything from `start`, which is where a frame begins, to the end; not copied. */
  slice(start: number): Chunk;
}
