import type { StoredEvent } from "../contracts/records.ts";
import type { DoneMessage, OpenMessage } from "../protocol/stream.ts";

/** An event to be encoded for readers. */
export interface EventFrame {
  /** The task. */
  taskId: string;
  /** The event, or a snapshot of its series. */
  event: StoredEvent;
  /** Its position among the matching events. */
  filteredIndex: number;
  /** The cursor after the event; left out if the stream cannot be resumed. */
  cursor?: string;
}

/**
 * Encodes messages for a reader as chunks: bytes of SSE for clients, objects for embedders. Readers whose
 * encoders have the same `key` and whose filters are equal share encoded frames.
 */
export interface FrameEncoder<Chunk> {
  /** Identifies the encoding: encoders with the same key produce the same chunks. */
  readonly key: string;
  /** Returns the first chunk. */
  open(message: OpenMessage): Chunk;
  /**
   * Returns a heartbeat, with the newest cursor if the stream can be resumed, or `undefined` if this kind
   * of reader needs no heartbeat.
   */
  heartbeat(cursor?: string): Chunk | undefined;
  /** Returns the last chunk. */
  done(message: DoneMessage, cursor: string): Chunk;
  /** Returns an empty buffer for event frames. */
  buffer(): FrameBuffer<Chunk>;
}

/** Event frames, encoded once and read by any number of readers. Frames are only appended. */
export interface FrameBuffer<Chunk> {
  /** The offset of the next frame, in the buffer's own unit. */
  readonly end: number;
  /** Approximate bytes of memory. */
  readonly bytes: number;
  /** Encodes a frame, and appends it. */
  append(frame: EventFrame): void;
  /** Returns the frames from `start`, which is the offset of a frame, to the end, without copying. */
  slice(start: number): Chunk;
}
