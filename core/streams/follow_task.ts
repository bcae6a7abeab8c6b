import type { LogPage, TaskReader } from "../contracts/task_reader.ts";
import type { EventFilter, SeriesFormat } from "../protocol/event.ts";
import type { DoneReason, OpenMessage } from "../protocol/stream.ts";
import { isTerminal } from "../protocol/status.ts";
import { filterKey, matchesEverything } from "../domain/filter.ts";
import type { ChunkSource, ReadRequest } from "./chunk_source.ts";
import type { CollapsedPage } from "./replay/collapse.ts";
import { collapse } from "./replay/collapse.ts";
import type { EngineContext } from "../context/context.ts";
import { indexOfLastN } from "../readers/index_of_last_n.ts";
import { Diverged, isLost } from "../context/diverged.ts";
import type { FrameEncoder } from "./frames.ts";
import type { Start } from "./resolve_start.ts";
import { lostStart } from "./resolve_start.ts";
import { Cancelled, pause, RetryingReader, unlessClosed } from "../readers/retrying_reader.ts";
import type { LogPosition } from "./log_position.ts";
import { cursorAt } from "./log_position.ts";
import { countBefore } from "../readers/count_before.ts";
import type { StreamControl } from "./stream_control.ts";
import type { Tail } from "./tail.ts";
import type { Tails } from "./tails.ts";
import { TaskGone } from "../context/task_gone.ts";
import type { FramesPosition, SharedFrames } from "./shared_frames.ts";

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

/** Series that grew, as a whole. */
interface Batch<Chunk> extends LogPosition {
  /** Left out: nothing that matches. */
  chunk?: Chunk;
  /** It has everything through there then; otherwise as a partial cursor says it. */
  isWhole: boolean;
}

/**
 * One reader of one task: first the opening, then everything from its start through the end, then
 * the end. Reads nothing until it is asked, so whoever pulls sets the pace; what it holds meanwhile
 * is a position.
 *
 * The reader replays from the store until it is where the task's tail is, goes on in the tail's
 * view, and goes back to the store whenever the view has moved on without it. All of it is one
 * position that only grows, so nothing is sent twice and nothing left out between the two.
 *
 * Should the log turn out not to be the one that was read, since the store was restored to an
 * earlier state, the reader begins anew: another opening says `expired`, and what is left follows.
 *
 * Only what takes several pages is a generator, for as long as it lasts: one that waits within
 * others would keep the frames and promises of them all, for each idle reader.
 */
export class TaskFollower<Chunk> implements ChunkSource<Chunk> {
  readonly #context: EngineContext;
  readonly #reader: TaskReader;
  readonly #tails: Tails;
  #query: FollowQuery;
  readonly #encoder: FrameEncoder<Chunk>;
  readonly #control: StreamControl;
  readonly #position: FramesPosition<Chunk>;
  #isNew = true;
  #isOver = false;
  /** What the reader has is not in the log: it begins anew in the next step. */
  #isLost = false;
  /** Up to its position, the reader and the tail are known to have the same log. */
  #isAgreed = false;
  /** What is read from the store for this reader alone; it comes before anything else. */
  #pages?: AsyncGenerator<Chunk, void>;
  /** Set once it is live. */
  #tail?: Tail;
  /** Set with the tail, unless series are told as a whole. */
  #view?: SharedFrames<Chunk>;
  /** It has of series only those that rest at or before its position. */
  #isPartial = false;
  /** Those whose chunks are the same where series are told as a whole. */
  readonly #sharedKey?: string = undefined;
  /** The chunk that was asked for and has not come yet. */
  #request?: ReadRequest<Chunk>;
  /** It is being worked for, and who waits for the end of that. */
  #isBusy = false;
  #released?: Promise<void> = undefined;
  #onRest: (() => void)[] = [];

  constructor(
    context: EngineContext,
    tails: Tails,
    query: FollowQuery,
    encoder: FrameEncoder<Chunk>,
    control: StreamControl,
  ) {
    this.#context = context;
    this.#reader = new RetryingReader(context, control, query.start.incarnation);
    this.#tails = tails;
    this.#query = query;
    this.#encoder = encoder;
    this.#control = control;
    const { after: through, entropy } = query.start;
    this.#position = { through, entropy, count: 0, offset: 0 };
    if (query.seriesFormat === "accumulated") {
      this.#sharedKey = `${encoder.key} ${filterKey(query.filter)}`;
    }
    control.owner = this;
  }

  read(request: ReadRequest<Chunk>): void {
    this.#request = request;
    if (this.#takeLive() === undefined) void this.#work();
  }

  /** Of a stream that nobody reads, nothing is left. Who reads it notices by itself. */
  onClosed(): void {
    if (this.#isNew || this.#isBusy || this.#request !== undefined) return;
    this.#isOver = true;
    this.#release().catch((error) => this.#report(error));
  }

  async cancel(): Promise<void> {
    this.#control.close(); // Ends a wait.
    if (this.#isBusy) await new Promise<void>((resolve) => this.#onRest.push(resolve));
    this.#isOver = true;
    await this.#release();
  }

  /**
   * Answers from memory, or waits: all that a reader does who is live, without a promise. With one for
   * each wait, and functions that go on after it, an event for a reader costs half as much again.
   *
   * Looking and waiting are one step. If something came between them, it would wake nobody.
   *
   * @returns Which of both; nothing if there is more to do than that.
   */
  #takeLive(): "answered" | "waiting" | undefined {
    const tail = this.#tail;
    const view = this.#view;
    const position = this.#position;
    const { closed, isOwed } = this.#control;
    if (tail === undefined || this.#pages !== undefined || this.#isOver) return undefined;
    if (this.#isLost) return undefined;
    if (closed && !isOwed) return undefined;
    if (!this.#agrees(tail)) return undefined;
    const isAtEnd = position.through === tail.through && view?.through === tail.through;
    if (view !== undefined && !isAtEnd && position.through <= tail.through) {
      const taken = tail.sync(view, position) ? view.take(position) : "behind";
      if (taken === "behind") return undefined;
      if (taken !== undefined) {
        this.#answer(taken.chunk);
        return "answered";
      }
    }
    if (position.through !== tail.through || hasEnded(tail, position) || closed) return undefined;
    // Who asks again while it is being woken has not stopped to wait.
    if (!this.#control.isWaiting) {
      tail.wait(this.#control, this.#woken, view as unknown as SharedFrames<never>);
    }
    return "waiting";
  }

  /** Whether what the tail has may be given to the reader. */
  #agrees(tail: Tail): boolean {
    if (tail.hasDiverged) return false;
    return this.#isAgreed ||= tail.compare(this.#position) === "same";
  }

  readonly #woken = (reason?: "heartbeat"): void => {
    // Who is being given a chunk may close the stream at once.
    if (this.#request === undefined) return;
    // News goes before a sign of life, whose cursor says that the reader has it all.
    const done = this.#takeLive();
    if (done === undefined) void this.#work();
    else if (done === "waiting" && reason === "heartbeat") {
      const beat = this.#heartbeat();
      if (beat !== undefined) this.#answer(beat);
    }
    if (this.#request === undefined) this.#rest();
  };

  #rest(): void {
    this.#tail?.pause(this.#control, this.#view as unknown as SharedFrames<never>);
  }

  /** What takes more than a step: the opening, reading from the store, joining the tail, the end. */
  async #work(): Promise<void> {
    this.#rest();
    this.#isBusy = true;
    let chunk: Chunk | undefined;
    let failure: { error: unknown } | undefined;
    try {
      if (!this.#isOver) chunk = this.#isNew ? this.#open() : await this.#take();
    } catch (error) {
      this.#isLost = error instanceof Diverged;
      this.#isOver = !this.#isLost;
      if (error instanceof TaskGone) chunk = this.#done("deleted");
      else if (!this.#isLost && !(error instanceof Cancelled)) failure = { error };
    }
    // After the last chunk. Nobody waits for it: it may fail, or take as long as a broadcast layer is
    // away.
    if (this.#isOver && chunk === undefined) {
      this.#release().catch((error) => this.#report(error));
    }
    this.#isBusy = false;
    for (const resolve of this.#onRest.splice(0)) resolve();
    if (chunk !== undefined) this.#answer(chunk);
    else if (failure !== undefined) this.#pop().onError(failure.error);
    else if (this.#isOver) this.#pop().onEnd();
    else if (this.#takeLive() === undefined) void this.#work();
  }

  #answer(chunk: Chunk): void {
    try {
      this.#pop().onChunk(chunk);
    } catch (error) {
      // Whoever asked for it must not throw; the readers that are woken after this one cannot help it.
      this.#report(error);
      this.cancel().catch((error) => this.#report(error));
    }
  }

  #report(error: unknown): void {
    const { taskId } = this.#query.start;
    this.#context.report(error, { operation: "subscription", taskId });
  }

  /** What was asked for, which is answered now. */
  #pop(): ReadRequest<Chunk> {
    const request = this.#request!;
    this.#request = undefined;
    return request;
  }

  #open(): Chunk {
    this.#isNew = false;
    this.#control.began();
    return this.#opening();
  }

  /** The first chunk, of the stream or of what begins anew. */
  #opening(): Chunk {
    this.#pages = this.#replay();
    return this.#encoder.open(openMessage(this.#query.start));
  }

  /** What there is by now, or the last chunk; `undefined` if nothing, or if it is over. */
  async #take(): Promise<Chunk | undefined> {
    const position = this.#position;
    if (this.#isLost) return await this.#beginAnew();
    for (;;) {
      if (this.#pages !== undefined) {
        const { value, done } = await this.#pages.next();
        if (!done) return value;
        this.#pages = undefined;
      }
      const { closed, isOwed } = this.#control;
      if (closed && !(isOwed && this.#tail !== undefined)) return this.#stop();
      const tail = this.#tail ?? await this.#join();
      if (position.through > tail.through && !closed) await tail.reach(position);
      const agrees = this.#agrees(tail);
      if (tail.hasDiverged || (!agrees && tail.compare(position) === "other")) {
        if (closed) return this.#stop();
        await this.#lookAgain(tail);
        continue;
      }
      if (this.#view !== undefined) {
        const isIn = agrees && tail.sync(this.#view, position);
        const taken = isIn ? this.#view.take(position) : "behind";
        if (taken === "behind") {
          if (closed) return this.#stop();
          position.segment = undefined;
          this.#pages = this.#readOn();
          continue;
        }
        if (taken !== undefined) return taken.chunk;
      } else if (tail.through - position.through > this.#context.options.pageSize) {
        if (closed) return this.#stop();
        this.#pages = this.#collapsed();
        continue;
      } else if (tail.through > position.through) {
        const chunk = await this.#grown(tail);
        if (chunk !== undefined) return chunk;
        continue;
      }
      if (!hasEnded(tail, position)) return closed ? this.#stop() : undefined;
      this.#isOver = true;
      return this.#done(tail.ending!);
    }
  }

  /** It is over without an end. */
  #stop(): undefined {
    this.#isOver = true;
  }

  /** The live part begins. */
  async #join(): Promise<Tail> {
    const { start: { taskId, incarnation }, filter } = this.#query;
    const { through, entropy } = this.#position;
    const tail = await this.#tails.acquire({ taskId, incarnation, through, entropy });
    this.#tail = tail;
    this.#isAgreed = false;
    if (this.#sharedKey === undefined) {
      this.#view = tail.view(filter, this.#encoder, this.#position);
    } else tail.joinShared(this.#sharedKey);
    return tail;
  }

  #release(): Promise<void> {
    return this.#released ??= this.#letGo();
  }

  async #letGo(): Promise<void> {
    this.#control.ended();
    await this.#leave();
  }

  /** Leaves the tail, and what is being read. */
  async #leave(): Promise<void> {
    const pages = this.#pages;
    const tail = this.#tail;
    tail?.leave(this.#control, this.#view as unknown as SharedFrames<never>);
    if (this.#sharedKey !== undefined) tail?.leaveShared(this.#sharedKey);
    this.#pages = this.#tail = this.#view = undefined;
    await Promise.all([tail && this.#tails.release(tail), pages?.return()]);
  }

  /** The same, waiting for nobody: a broadcast layer may be away. */
  #leaveSoon(): void {
    this.#leave().catch((error) => this.#report(error));
  }

  /**
   * Leaves a tail that has another log than the reader, or than the store. Where the store has the
   * log of the reader, it goes on with another tail.
   *
   * @throws {Diverged} When the store does not have it.
   */
  async #lookAgain(tail: Tail): Promise<void> {
    const { start: { taskId, incarnation } } = this.#query;
    const { through: after, entropy: afterEntropy } = this.#position;
    this.#position.segment = undefined;
    const page = await this.#reader.readLog(taskId, { after, afterEntropy, limit: 1 });
    if (page === undefined || page.incarnation !== incarnation) throw new TaskGone();
    if (isLost(page, after)) throw new Diverged();
    tail.distrust();
    this.#leaveSoon();
  }

  /** Tells the reader that what it has is not in the log, and then everything that is left. */
  async #beginAnew(): Promise<Chunk | undefined> {
    this.#leaveSoon();
    if (this.#control.closed) return this.#stop();
    const { taskId, incarnation } = this.#query.start;
    const head = await this.#reader.getTask(taskId);
    if (head === undefined || head.record.incarnation !== incarnation) throw new TaskGone();
    this.#isLost = this.#isPartial = false;
    this.#query = { ...this.#query, start: lostStart(head) };
    Object.assign(this.#position, {
      through: -1,
      entropy: undefined,
      count: 0,
      segment: undefined,
    });
    return this.#opening();
  }

  /** What comes before the live part, where that is not simply the log from the start on. */
  async *#replay(): AsyncGenerator<Chunk, void> {
    const { start, filter, seriesFormat, limit } = this.#query;
    if (start.collapse || seriesFormat === "accumulated") {
      yield* this.#collapsed(limit);
      return;
    }
    const { options: { pageSize } } = this.#context;
    const { taskId, after, length } = start;
    if (limit !== undefined) {
      const part = { taskId, filter, after, through: length - 1, pageSize, standalone: false };
      const through = await indexOfLastN(this.#reader, part, limit);
      if (through !== after) this.#moved({ through });
    }
    await this.#moveTo(this.#position);
  }

  /** Series that grew, each as a whole: made once for all readers that stand here. */
  async #grown(tail: Tail): Promise<Chunk | undefined> {
    const position = this.#position;
    const key = this.#sharedKey!;
    const { through, entropy } = position;
    const after = { through, entropy };
    const made = tail.share(key, after, () => this.#collapsedBatch(tail));
    const batch = await unlessClosed(this.#control, made);
    if (batch.through <= through) {
      // The tail is ahead of the store, which went on from where this reader is: another tail sees it.
      tail.unshare(key, after);
      await pause(this.#context, this.#control);
      await this.#lookAgain(tail);
      return undefined;
    }
    this.#moved(batch);
    this.#isPartial = !batch.isWhole;
    return batch.chunk;
  }

  #heartbeat(): Chunk | undefined {
    return this.#view === undefined
      ? this.#encoder.heartbeat(this.#cursor(this.#isPartial ? "partial" : "exact"))
      : this.#view.heartbeat();
  }

  /** The last chunk. */
  #done(reason: DoneReason): Chunk {
    return this.#encoder.done({ reason }, this.#cursor("done"));
  }

  /** A collapsed replay from the position on, page by page. */
  async *#collapsed(last?: number): AsyncGenerator<Chunk, void> {
    let end: LogPosition | undefined;
    const tail = this.#tail;
    const known = tail?.through ?? -1;
    for await (const { frames, through, entropy } of this.#collapse(last)) {
      const buffer = this.#encoder.buffer();
      for (const frame of frames) buffer.append(frame);
      if (buffer.end > 0) yield buffer.slice(0);
      if (this.#control.closed) return;
      if (through !== undefined) end = { through, entropy };
    }
    if (end === undefined) throw new TaskGone();
    if (end.through < known) tail?.distrust();
    await this.#moveTo(end);
  }

  /** Its first page as one chunk; mostly all of it, when there are few events. */
  async #collapsedBatch(tail: Tail): Promise<Batch<Chunk>> {
    const pages = this.#collapse(undefined, tail.reader);
    for await (const { frames, position, entropy, through } of pages) {
      const buffer = this.#encoder.buffer();
      for (const frame of frames) buffer.append(frame);
      const batch = { through: position, entropy, isWhole: through !== undefined };
      return buffer.end > 0 ? { chunk: buffer.slice(0), ...batch } : batch;
    }
    throw new TaskGone();
  }

  #collapse(last?: number, shared?: TaskReader): AsyncGenerator<CollapsedPage, void> {
    const { start: { taskId, incarnation }, filter, seriesFormat } = this.#query;
    const { options: { pageSize, pageBytes } } = this.#context;
    const { through: after, entropy } = this.#position;
    return collapse(shared ?? this.#reader, {
      taskId,
      incarnation,
      after,
      entropy,
      filter,
      last,
      whole: seriesFormat === "accumulated",
      pageSize,
      pageBytes,
    });
  }

  /** One page of the log from the store, for this reader alone. */
  async *#readOn(): AsyncGenerator<Chunk, void> {
    const { start: { taskId, incarnation }, filter } = this.#query;
    const { options, observers } = this.#context;
    const position = this.#position;
    const tail = this.#tail!;
    const known = tail.through;
    const page = await this.#reader.readLog(taskId, {
      after: position.through,
      afterEntropy: position.entropy,
      limit: options.pageSize,
      filter,
    });
    if (page === undefined || page.incarnation !== incarnation) throw new TaskGone();
    if (isLost(page, position.through)) throw new Diverged();
    // What the tail had before this was read is not in the store, which it was not asked for since.
    if (page.length <= known) tail.distrust();
    if (await this.#isTrimmed(page)) {
      // Of a series perhaps only some events are left, and places do not follow on each other.
      yield* this.#collapsed();
      return;
    }
    observers.tell("onLaggingRead", page.events.length);
    const buffer = this.#encoder.buffer();
    for (const event of page.events) {
      const { index: through, entropy } = event;
      const cursor = cursorAt("exact", incarnation, { through, entropy });
      buffer.append({ taskId, event, filteredIndex: position.count++, cursor });
    }
    this.#moved({ through: page.scannedTo, entropy: page.entropy });
    if (buffer.end > 0) yield buffer.slice(0);
  }

  /** Whether events were trimmed that the reader would have got with this page or later. */
  async #isTrimmed({ events, scannedTo, status }: LogPage): Promise<boolean> {
    const { through } = this.#position;
    if (!isTerminal(status) || events.length === scannedTo - through) return false;
    const head = await this.#reader.getTask(this.#query.start.taskId);
    return (head?.trimmedThrough ?? -1) > through;
  }

  /** The reader has everything through a place, by what was read for it alone. */
  #moved({ through, entropy }: LogPosition): void {
    this.#position.through = through;
    this.#position.entropy = entropy;
    this.#isPartial = false;
    this.#isAgreed = false;
  }

  /** The same, and nothing after it. */
  async #moveTo(place: LogPosition): Promise<void> {
    const { start: { taskId }, filter } = this.#query;
    const { through } = place;
    this.#moved(place);
    if (matchesEverything(filter) || through === -1) {
      this.#position.count = through + 1;
    } else {
      const [count] = await countBefore(this.#reader, taskId, filter, [through + 1]);
      this.#position.count = count!;
    }
  }

  #cursor(kind: "exact" | "partial" | "done"): string {
    return cursorAt(kind, this.#query.start.incarnation, this.#position);
  }
}

function openMessage({ taskId, status, length, resume, isLost }: Start): OpenMessage {
  const message: OpenMessage = { taskId, status, resume, head: length - 1 };
  if (isLost) message.reset = true;
  return message;
}

/** Whether the task has ended and the reader has everything. */
function hasEnded({ ending, through }: Tail, position: { through: number }): boolean {
  return ending === "deleted" || (ending !== undefined && position.through >= through);
}
