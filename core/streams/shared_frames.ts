import type { StoredEvent } from "../contracts/records.ts";
import type { EventFilter } from "../protocol/event.ts";
import { compileFilter } from "../domain/filter.ts";
import type { FrameBuffer, FrameEncoder } from "./frames.ts";
import type { LogPosition } from "./log_position.ts";
import { cursorAt } from "./log_position.ts";
import { ReaderList } from "./waking/reader_list.ts";

/** A run of a view's frames. Only the newest one grows. */
interface Segment<Chunk> {
  buffer: FrameBuffer<Chunk>;
  /** Everything at or before this index came before the segment. */
  startThrough: number;
  /** Everything at or before this index is in this segment or before it. */
  through: number;
  /** The entropy of the event there, where it is known. */
  entropy: number | undefined;
  /** Matching events at or before `through`, from the task's first. */
  count: number;
  /** The index and the place of each frame, to find where a reader is to begin. */
  indexes: number[];
  starts: number[];
  next?: Segment<Chunk>;
  /** Its memory was given up; readers that are still in it have fallen behind. */
  dropped: boolean;
}

/** Where one reader stands in a view. */
export interface FramesPosition<Chunk> extends LogPosition {
  /** Matching events through there, from the task's first. */
  count: number;
  /** Set while the reader is in the view. */
  segment?: Segment<Chunk>;
  /** Where its next frame begins in the segment. */
  offset: number;
}

/** Bytes of memory above which a segment ends and the next begins. */
const SEGMENT_BYTES = 64 * 1024;

/**
 * The same within events that come together, as what was read from the store at once: readers who
 * wait get them as one chunk, and so as one write.
 */
const TOGETHER_BYTES = 8 * SEGMENT_BYTES;

/**
 * The recent frames of one task under one filter and format, encoded once for all readers. A
 * reader is a position: it takes whatever lies between that and the end as one chunk.
 *
 * Bounded: the oldest segments are dropped, and a reader that stood there reads from the store
 * until it is back.
 */
export class SharedFrames<Chunk> {
  readonly #encoder: FrameEncoder<Chunk>;
  readonly #matches: (event: StoredEvent) => boolean;
  readonly #taskId: string;
  readonly #incarnation: string;
  readonly #maxBytes: () => number;
  #first: Segment<Chunk>;
  #last: Segment<Chunk>;
  /** Where readers stand who wait and whose turn to be woken has not come; kept, whatever the bound. */
  #unheard: Segment<Chunk>;
  #bytes = 0;
  #heartbeat?: { through: number; chunk: Chunk | undefined };
  /** Readers at the end, for now or again soon. */
  readonly waiters: ReaderList = new ReaderList();
  /** Frames that were ever encoded. */
  frames = 0;
  /** Readers that use the view. */
  readers = 0;

  /** @param start Where the view begins: the first reader's position. */
  constructor(
    options: {
      taskId: string;
      incarnation: string;
      filter: EventFilter;
      encoder: FrameEncoder<Chunk>;
      /** Asked whenever a segment is added. */
      maxBytes: () => number;
    },
    start: LogPosition & { count: number },
  ) {
    this.#encoder = options.encoder;
    this.#matches = compileFilter(options.filter);
    this.#taskId = options.taskId;
    this.#incarnation = options.incarnation;
    this.#maxBytes = options.maxBytes;
    this.#first = this.#last = this.#unheard = this.#newSegment(start);
  }

  /** Bytes of memory that its frames have. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Everything through this index has been encoded. */
  get through(): number {
    return this.#last.through;
  }

  /** Whether readers that wait have more than one chunk before them. */
  get isSplit(): boolean {
    return this.#unheard !== this.#last;
  }

  /** All readers that wait have been woken for what there is. */
  markWoken(): void {
    this.#unheard = this.#last;
    this.#keepToBound();
  }

  /** Begins anew at a reader's position; who stood elsewhere has fallen behind. */
  restart(start: LogPosition & { count: number }): void {
    while (this.#first !== this.#last) this.#dropFirst();
    this.#drop(this.#last);
    this.#bytes = 0;
    this.#first = this.#last = this.#unheard = this.#newSegment(start);
  }

  /**
   * Encodes those that match of events that come together.
   *
   * @param from The place of the one after {@linkcode SharedFrames.through}; those before it are left out.
   */
  append(events: readonly StoredEvent[], from = 0): void {
    let maxBytes = SEGMENT_BYTES;
    for (let i = from; i < events.length; i++) {
      const event = events[i]!;
      if (this.#matches(event)) {
        if (this.#last.buffer.bytes >= maxBytes) this.#addSegment();
        maxBytes = Math.max(SEGMENT_BYTES, Math.min(TOGETHER_BYTES, this.#maxBytes() / 2));
        this.#encode(event);
      }
      this.#last.through = event.index;
      this.#last.entropy = event.entropy;
    }
  }

  /**
   * Moves a reader to the end of what is encoded.
   *
   * @returns What lies between, `undefined` if nothing does, or `"behind"` if the view does not
   * have it (any more): read from the store.
   */
  take(position: FramesPosition<Chunk>): { chunk: Chunk } | "behind" | undefined {
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

  /** A sign of life for readers at the end; encoded once. */
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
    const place = { through: event.index, entropy: event.entropy };
    const cursor = cursorAt("exact", this.#incarnation, place);
    buffer.append({ taskId: this.#taskId, event, filteredIndex: segment.count, cursor });
    segment.count++;
    this.frames++;
    this.#bytes += buffer.bytes - before;
  }

  /** Finds the segment and place where a reader goes on. */
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
    while (this.#bytes > this.#maxBytes() && this.#first !== this.#unheard) this.#dropFirst();
  }

  #dropFirst(): void {
    const first = this.#first;
    this.#first = first.next!;
    this.#bytes -= first.buffer.bytes;
    this.#drop(first);
  }

  /** A reader that stopped here must not hold the memory, nor all that came after it. */
  #drop(segment: Segment<Chunk>): void {
    segment.dropped = true;
    segment.next = undefined;
    segment.buffer = this.#encoder.buffer();
    segment.indexes = [];
    segment.starts = [];
  }
}

/** The position of the first number above `limit` in an ascending list. */
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
