import type { StoredEvent } from "../contracts/records.ts";
import type { EventFilter } from "../protocol/event.ts";
import { compileFilter } from "../domain/filter.ts";
import type { FrameBuffer, FrameEncoder } from "./frames.ts";
import type { LogPosition } from "./log_position.ts";
import { cursorAt } from "./log_position.ts";
import { ReaderList } from "./waking/reader_list.ts";

/** A run of consecutive frames. Only the newest segment grows. */
interface Segment<Chunk> {
  buffer: FrameBuffer<Chunk>;
  /** Events at or before this index precede the segment. */
  startThrough: number;
  /** Events at or before this index are in this segment or precede it. */
  through: number;
  /** The entropy of the event at `through`, if known. */
  entropy: number | undefined;
  /** Number of matching events in the log at or before `through`. */
  count: number;
  /** The index and the buffer offset of each frame, to find where a reader starts. */
  indexes: number[];
  starts: number[];
  next?: Segment<Chunk>;
  /** Set once its memory was released. Readers that are still in it have fallen behind. */
  dropped: boolean;
}

/** The position of one reader in shared frames. */
export interface FramesPosition<Chunk> extends LogPosition {
  /** Number of matching events in the log through the position. */
  count: number;
  /** Set while the position is within the frames. */
  segment?: Segment<Chunk>;
  /** The buffer offset of its next frame in the segment. */
  offset: number;
}

/** Bytes of memory after which a segment ends and the next begins. */
const SEGMENT_BYTES = 64 * 1024;

/**
 * The same limit within one page from the store. Such a burst stays in one segment where possible, so that
 * waiting readers get it as one chunk and one write.
 */
const BURST_SEGMENT_BYTES = 8 * SEGMENT_BYTES;

/**
 * The recent frames of one task for one filter and format, encoded once for all readers. A reader is a
 * position, and takes everything between it and the end as one chunk.
 *
 * Memory is bounded: the oldest segments are dropped, and a reader that stood in one of them reads from
 * the store until it has caught up.
 */
export class SharedFrames<Chunk> {
  readonly #encoder: FrameEncoder<Chunk>;
  readonly #matches: (event: StoredEvent) => boolean;
  readonly #taskId: string;
  readonly #incarnation: string;
  readonly #maxBytes: () => number;
  #first: Segment<Chunk>;
  #last: Segment<Chunk>;
  /** The oldest segment in which a waiting reader has yet to be woken. Kept even beyond the bound. */
  #oldestUnwoken: Segment<Chunk>;
  #bytes = 0;
  #heartbeat?: { through: number; chunk: Chunk | undefined };
  /** Readers at the end, including those that are about to ask again. */
  readonly waiters: ReaderList = new ReaderList();
  /** Number of frames ever encoded. */
  frameCount = 0;
  /** Number of readers that use the frames. */
  readers = 0;

  /** @param start The first reader's position, at which the frames begin. */
  constructor(
    options: {
      taskId: string;
      incarnation: string;
      filter: EventFilter;
      encoder: FrameEncoder<Chunk>;
      /** Returns the bound; called whenever a segment is added. */
      maxBytes: () => number;
    },
    start: LogPosition & { count: number },
  ) {
    this.#encoder = options.encoder;
    this.#matches = compileFilter(options.filter);
    this.#taskId = options.taskId;
    this.#incarnation = options.incarnation;
    this.#maxBytes = options.maxBytes;
    this.#first = this.#last = this.#oldestUnwoken = this.#newSegment(start);
  }

  /** Bytes of memory that the frames occupy. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The index through which events have been encoded. */
  get through(): number {
    return this.#last.through;
  }

  /** Set if some waiting reader needs more than one chunk to reach the end. */
  get isSplit(): boolean {
    return this.#oldestUnwoken !== this.#last;
  }

  /** Notes that all waiting readers have been woken for what has been encoded. */
  markWoken(): void {
    this.#oldestUnwoken = this.#last;
    this.#keepToBound();
  }

  /** Restarts at a reader's position. All other readers have then fallen behind. */
  restart(start: LogPosition & { count: number }): void {
    while (this.#first !== this.#last) this.#dropFirst();
    this.#drop(this.#last);
    this.#bytes = 0;
    this.#first = this.#last = this.#oldestUnwoken = this.#newSegment(start);
  }

  /**
   * Encodes the matching events of one page.
   *
   * @param from Position in `events` of the first event after {@linkcode SharedFrames.through}.
   */
  append(events: readonly StoredEvent[], from = 0): void {
    let maxBytes = SEGMENT_BYTES;
    for (let i = from; i < events.length; i++) {
      const event = events[i]!;
      if (this.#matches(event)) {
        if (this.#last.buffer.bytes >= maxBytes) this.#addSegment();
        maxBytes = Math.max(SEGMENT_BYTES, Math.min(BURST_SEGMENT_BYTES, this.#maxBytes() / 2));
        this.#encode(event);
      }
      this.#last.through = event.index;
      this.#last.entropy = event.entropy;
    }
  }

  /**
   * Moves a reader towards the end of the frames.
   *
   * @returns The frames in between, `undefined` if there are none, or `"behind"` if they have been dropped
   * and must be read from the store.
   */
  takeChunk(position: FramesPosition<Chunk>): { chunk: Chunk } | "behind" | undefined {
    let { segment } = position;
    if (segment === undefined || segment.dropped) {
      segment = this.#find(position);
      if (segment === undefined) return "behind";
      position.segment = segment;
    }
    while (position.offset >= segment.buffer.end && segment.next !== undefined) {
      segment = segment.next;
      position.segment = segment;
      position.offset = 0;
    }
    const { buffer } = segment;
    position.through = segment.through;
    position.entropy = segment.entropy;
    position.count = segment.count;
    if (position.offset >= buffer.end) return undefined;
    const chunk = buffer.slice(position.offset);
    position.offset = buffer.end;
    return { chunk };
  }

  /** Returns a heartbeat for readers at the end; encoded once for each position. */
  heartbeat(): Chunk | undefined {
    const { through } = this;
    if (this.#heartbeat?.through !== through) {
      const cursor = cursorAt("exact", this.#incarnation, this.#last);
      this.#heartbeat = { through, chunk: this.#encoder.heartbeat(cursor) };
    }
    return this.#heartbeat.chunk;
  }

  #encode(event: StoredEvent): void {
    const segment = this.#last;
    const { buffer } = segment;
    const before = buffer.bytes;
    segment.indexes.push(event.index);
    segment.starts.push(buffer.end);
    const position = { through: event.index, entropy: event.entropy };
    const cursor = cursorAt("exact", this.#incarnation, position);
    buffer.append({ taskId: this.#taskId, event, filteredIndex: segment.count, cursor });
    segment.count++;
    this.frameCount++;
    this.#bytes += buffer.bytes - before;
  }

  /** Finds the segment in which a reader continues, and sets its offset. */
  #find(position: FramesPosition<Chunk>): Segment<Chunk> | undefined {
    for (let s: Segment<Chunk> | undefined = this.#first; s; s = s.next) {
      if (position.through < s.startThrough) return undefined;
      if (position.through > s.through) continue;
      const frame = firstAbove(s.indexes, position.through);
      position.offset = s.starts[frame] ?? s.buffer.end;
      return s;
    }
    return undefined;
  }

  #newSegment({ through, entropy, count }: LogPosition & { count: number }): Segment<Chunk> {
    const buffer = this.#encoder.buffer();
    this.#bytes += buffer.bytes;
    return {
      buffer,
      startThrough: through,
      through,
      entropy,
      count,
      indexes: [],
      starts: [],
      dropped: false,
    };
  }

  #addSegment(): void {
    const last = this.#last;
    const segment = this.#newSegment(last);
    last.next = segment;
    this.#last = segment;
    this.#keepToBound();
  }

  #keepToBound(): void {
    while (this.#bytes > this.#maxBytes() && this.#first !== this.#oldestUnwoken) this.#dropFirst();
  }

  #dropFirst(): void {
    const first = this.#first;
    this.#first = first.next!;
    this.#bytes -= first.buffer.bytes;
    this.#drop(first);
  }

  /** Empties a segment, so that a reader that still refers to it does not hold it and its successors. */
  #drop(segment: Segment<Chunk>): void {
    segment.dropped = true;
    segment.next = undefined;
    segment.buffer = this.#encoder.buffer();
    segment.indexes = [];
    segment.starts = [];
  }
}

/** Returns the position of the first number above `limit` in an ascending list. */
function firstAbove(sorted: readonly number[], limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! > limit) high = middle;
    else low = middle + 1;
  }
  return low;
}
