import type { TaskReader } from "../contracts/task_reader.ts";
import type { EngineContext } from "../context/context.ts";
import { matchesEverything } from "../domain/filter.ts";
import type { Cursor } from "../protocol/cursor.ts";
import type { EventFilter, SeriesFormat } from "../protocol/event.ts";
import { countBefore } from "../readers/count_before.ts";
import { RetryingReader } from "../readers/retrying_reader.ts";
import type { FrameEncoder } from "./frames.ts";
import type { LogPosition } from "./log_position.ts";
import { cursorAt } from "./log_position.ts";
import type { Start } from "./resolve_start.ts";
import type { FramesPosition } from "./shared_frames.ts";
import type { StreamControl } from "./stream_control.ts";

/** The query of a subscription to one task. */
export interface FollowQuery {
  /** The position at which the subscription starts. */
  start: Start;
  /** Delivers only matching events. */
  filter: EventFilter;
  /** The format of `accumulate` series. */
  seriesFormat: SeriesFormat;
  /** Maximum number of items to replay; the newest are kept. @default all */
  limit?: number;
}

/** The query of one reader of a task, and its position in the log. */
export class ReaderState<Chunk> {
  readonly context: EngineContext;
  /** Reads the store for this reader, and retries until the stream closes. */
  readonly store: TaskReader;
  readonly encoder: FrameEncoder<Chunk>;
  readonly control: StreamControl;
  query: FollowQuery;
  /** Stays the same object, so that others may keep a reference to it. */
  readonly position: FramesPosition<Chunk>;
  /** Set if the reader lacks those series that grew after the position; its cursor is then partial. */
  isPartial = false;
  /** Set once the tail is known to have the same log through the position. */
  isVerified = false;

  constructor(
    context: EngineContext,
    query: FollowQuery,
    encoder: FrameEncoder<Chunk>,
    control: StreamControl,
  ) {
    this.context = context;
    this.store = new RetryingReader(context, control, query.start.incarnation);
    this.encoder = encoder;
    this.control = control;
    this.query = query;
    const { after: through, entropy } = query.start;
    this.position = { through, entropy, count: 0, offset: 0 };
  }

  /** Sets the position after a read from the store. */
  moveTo({ through, entropy }: LogPosition): void {
    this.position.through = through;
    this.position.entropy = entropy;
    this.isPartial = false;
    this.isVerified = false;
  }

  /** Sets the position, and counts the matching events through it. */
  async moveAndCount(position: LogPosition): Promise<void> {
    const { start: { taskId }, filter } = this.query;
    const { through } = position;
    this.moveTo(position);
    if (matchesEverything(filter) || through === -1) {
      this.position.count = through + 1;
    } else {
      const [count] = await countBefore(this.store, taskId, filter, [through + 1]);
      this.position.count = count!;
    }
  }

  /** Starts over before the first event. */
  restart(start: Start): void {
    this.query = { ...this.query, start };
    this.isPartial = false;
    Object.assign(this.position, {
      through: -1,
      entropy: undefined,
      count: 0,
      segment: undefined,
    });
  }

  /** Returns the cursor of the position. */
  cursor(kind: Cursor["kind"]): string {
    return cursorAt(kind, this.query.start.incarnation, this.position);
  }
}
