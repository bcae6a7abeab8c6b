import { encodeCursor } from "../protocol/cursor.ts";
import type { LogPage, TaskReader } from "../contracts/task_reader.ts";
import type { EventFilter, SeriesFormat } from "../protocol/event.ts";
import type { DoneReason } from "../protocol/stream.ts";
import { isTerminal } from "../protocol/task.ts";
import { filterKey, matchesEverything } from "../rules/filter.ts";
import type { CollapsedPage } from "./collapse.ts";
import { collapse } from "./collapse.ts";
import type { EngineContext } from "./context.ts";
import { cutOff } from "./cut_off.ts";
import type { FrameEncoder } from "./frames.ts";
import type { Start } from "./locate.ts";
import { NotWanted, PatientReader } from "./patient_reader.ts";
import { ranks } from "./ranks.ts";
import type { StreamControl } from "./stream_control.ts";
import type { Tail } from "./tail.ts";
import type { Tails } from "./tails.ts";
import type { View, ViewPosition } from "./view.ts";

/** What a reader of one task asked for. */
export interface FollowQuery {
  /** Where it starts. */
  start: Start;
  /** Only what matches. */
  filter: EventFilter;
  /** How accumulate series are told. */
  seriesFormat: SeriesFormat;
  /** Replays at most the last of the items. @default all */
  limit?: number;
}

/** The task is gone while it is being read. */
class Deleted extends Error {}

/**
 * One reader of one task, as a generator of chunks: first the opening, then everything from its
 * start through the end, then the end. Reads nothing until it is asked, so whoever pulls sets the
 * pace; what it holds meanwhile is a position.
 *
 * The reader replays from the store until it is where the task's tail is, goes on in the tail's
 * view, and goes back to the store whenever the view has moved on without it. All of it is one
 * position that only grows, so nothing is sent twice and nothing left out between the two.
 */
export async function* follow<Chunk>(
  context: EngineContext,
  tails: Tails,
  query: FollowQuery,
  encoder: FrameEncoder<Chunk>,
  control: StreamControl,
): AsyncGenerator<Chunk, void> {
  const { taskId, incarnation, status, length, resume } = query.start;
  yield encoder.open({ taskId, status, resume, head: length - 1 });
  const patient = { ...context, reader: new PatientReader(context, control) };
  const reader = new Reader(patient, query, encoder, control);
  try {
    yield* reader.replay();
    if (control.closed) return;
    const tail = await tails.acquire({ taskId, incarnation, through: reader.through });
    try {
      yield* query.seriesFormat === "accumulated" ? reader.accumulated(tail) : reader.live(tail);
      if (!control.closed) yield reader.done(tail.ending!);
    } finally {
      await tails.release(tail);
    }
  } catch (error) {
    if (error instanceof NotWanted) return;
    if (!(error instanceof Deleted)) throw error;
    yield reader.done("deleted");
  }
}

class Reader<Chunk> {
  readonly #context: EngineContext;
  readonly #query: FollowQuery;
  readonly #encoder: FrameEncoder<Chunk>;
  readonly #control: StreamControl;
  readonly #position: ViewPosition<Chunk>;

  constructor(
    context: EngineContext,
    query: FollowQuery,
    encoder: FrameEncoder<Chunk>,
    control: StreamControl,
  ) {
    this.#context = context;
    this.#query = query;
    this.#encoder = encoder;
    this.#control = control;
    this.#position = { through: query.start.after, count: 0, offset: 0 };
  }

  get through(): number {
    return this.#position.through;
  }

  /** What comes before the live part, where that is not simply the log from the start on. */
  async *replay(): AsyncGenerator<Chunk, void> {
    const { start, filter, seriesFormat, limit } = this.#query;
    if (start.collapse || seriesFormat === "accumulated") {
      yield* this.#collapsed(limit);
      return;
    }
    const { reader, options: { pageSize } } = this.#context;
    const { taskId, after, length } = start;
    if (limit !== undefined) {
      const part = { taskId, filter, after, through: length - 1, pageSize, plain: false };
      this.#position.through = await cutOff(reader, part, limit);
    }
    await this.#moveTo(this.#position.through);
  }

  /** The log as it is, from the position through the end of the task. */
  async *live(tail: Tail): AsyncGenerator<Chunk, void> {
    const position = this.#position;
    const view = tail.view(this.#query.filter, this.#encoder, position);
    try {
      while (!this.#control.closed) {
        if (position.through > tail.through) await tail.reach(position.through);
        const taken = tail.sync(view, position) ? view.take(position) : "behind";
        if (taken === "behind") {
          position.segment = undefined;
          yield* this.#readOn();
        } else if (taken !== undefined) {
          yield taken.chunk;
        } else if (isOver(tail, position)) {
          return;
        } else if (await tail.wait(this.#control, view as unknown as View<never>) === "heartbeat") {
          const chunk = view.heartbeat();
          if (chunk !== undefined) yield chunk;
        }
      }
    } finally {
      tail.release(view as unknown as View<never>);
    }
  }

  /** Each series as a whole whenever it grew: a collapsed replay again and again. */
  async *accumulated(tail: Tail): AsyncGenerator<Chunk, void> {
    const position = this.#position;
    const key = `${this.#encoder.key} ${filterKey(this.#query.filter)}`;
    while (!this.#control.closed) {
      if (position.through > tail.through) await tail.reach(position.through);
      if (tail.through - position.through > this.#context.options.pageSize) {
        yield* this.#collapsed();
      } else if (tail.through > position.through) {
        const batch = await tail.share(key, position.through, () => this.#collapsedBatch(tail));
        position.through = batch.through;
        if (batch.chunk !== undefined) yield batch.chunk;
      } else if (isOver(tail, position)) {
        return;
      } else if (await tail.wait(this.#control) === "heartbeat") {
        const chunk = this.#encoder.heartbeat(this.#cursor("exact"));
        if (chunk !== undefined) yield chunk;
      }
    }
  }

  /** The last chunk. */
  done(reason: DoneReason): Chunk {
    return this.#encoder.done({ reason }, this.#cursor("done"));
  }

  /** A collapsed replay from the position on, page by page. */
  async *#collapsed(last?: number): AsyncGenerator<Chunk, void> {
    let through: number | undefined;
    for await (const page of this.#collapse(last)) {
      const buffer = this.#encoder.buffer();
      for (const frame of page.frames) buffer.append(frame);
      if (buffer.end > 0) yield buffer.slice(0);
      if (this.#control.closed) return;
      through = page.through;
    }
    if (through === undefined) throw new Deleted();
    await this.#moveTo(through);
  }

  /** The same as one chunk, for few events. */
  async #collapsedBatch(tail: Tail): Promise<{ chunk?: Chunk; through: number }> {
    const buffer = this.#encoder.buffer();
    for await (const { frames, through } of this.#collapse(undefined, tail.reader)) {
      for (const frame of frames) buffer.append(frame);
      if (through !== undefined) {
        return buffer.end > 0 ? { chunk: buffer.slice(0), through } : { through };
      }
    }
    throw new Deleted();
  }

  #collapse(last?: number, shared?: TaskReader): AsyncGenerator<CollapsedPage, void> {
    const { start: { taskId, incarnation }, filter } = this.#query;
    const { reader, options: { pageSize } } = this.#context;
    const after = this.#position.through;
    return collapse(shared ?? reader, { taskId, incarnation, after, filter, last, pageSize });
  }

  /** One page of the log from the store, for this reader alone. */
  async *#readOn(): AsyncGenerator<Chunk, void> {
    const { start: { taskId, incarnation }, filter } = this.#query;
    const { reader, options, observers } = this.#context;
    const position = this.#position;
    const page = await reader.readLog(taskId, {
      after: position.through,
      limit: options.pageSize,
      filter,
    });
    if (page === undefined || page.incarnation !== incarnation) throw new Deleted();
    if (await this.#isTrimmed(page)) {
      // Of a series perhaps only some events are left, and places do not follow on each other.
      yield* this.#collapsed();
      return;
    }
    observers.tell("onLaggingRead", page.events.length);
    const buffer = this.#encoder.buffer();
    for (const event of page.events) {
      const cursor = encodeCursor({ kind: "exact", incarnation, index: event.index });
      buffer.append({ taskId, event, filteredIndex: position.count++, cursor });
    }
    position.through = page.scannedTo;
    if (buffer.end > 0) yield buffer.slice(0);
  }

  /** Whether events were trimmed that the reader would have got with this page or later. */
  async #isTrimmed({ events, scannedTo, status }: LogPage): Promise<boolean> {
    const { through } = this.#position;
    if (!isTerminal(status) || events.length === scannedTo - through) return false;
    const head = await this.#context.reader.getTask(this.#query.start.taskId);
    return (head?.trimmedThrough ?? -1) > through;
  }

  /** The reader has everything through an index, and nothing after it. */
  async #moveTo(through: number): Promise<void> {
    const { start: { taskId }, filter } = this.#query;
    this.#position.through = through;
    if (matchesEverything(filter) || through === -1) {
      this.#position.count = through + 1;
    } else {
      const [count] = await ranks(this.#context.reader, taskId, filter, [through + 1]);
      this.#position.count = count!;
    }
  }

  #cursor(kind: "exact" | "done"): string {
    const { incarnation } = this.#query.start;
    return encodeCursor({ kind, incarnation, index: this.#position.through });
  }
}

/** Whether the task has ended and the reader has everything. */
function isOver({ ending, through }: Tail, position: { through: number }): boolean {
  return ending === "deleted" || (ending !== undefined && position.through >= through);
}
