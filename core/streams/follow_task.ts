import type { DoneReason, OpenMessage } from "../protocol/stream.ts";
import { filterKey } from "../domain/filter.ts";
import type { ChunkSource, ReadRequest } from "./chunk_source.ts";
import type { EngineContext } from "../context/context.ts";
import { Diverged, isLost } from "../context/diverged.ts";
import type { FrameEncoder } from "./frames.ts";
import type { Start } from "./resolve_start.ts";
import { lostStart } from "./resolve_start.ts";
import { awaitUnlessClosed, Cancelled, pause } from "../readers/retrying_reader.ts";
import type { FollowQuery } from "./reader_state.ts";
import { ReaderState } from "./reader_state.ts";
import { collapsedBatch, collapsedPages, logPage, replay } from "./store_pages.ts";
import type { StreamControl } from "./stream_control.ts";
import type { Tail } from "./tail.ts";
import type { Tails } from "./tails.ts";
import { TaskGone } from "../context/task_gone.ts";
import type { FramesPosition, SharedFrames } from "./shared_frames.ts";

/**
 * A subscription to one task: the opening, every event from the start position to the end of the task,
 * and the end message. It reads nothing until a chunk is requested, so the consumer sets the pace; in
 * between it holds a position, not data.
 *
 * The follower replays from the store until it reaches the task's tail, continues with the frames that
 * the tail shares, and returns to the store when those frames have been dropped. All of these advance
 * the same position, so no event is sent twice and none is skipped.
 *
 * If the log turns out to be a different one, because the store was restored to an earlier state, the
 * follower starts over: it sends another opening, with `expired`, and then everything that is left.
 *
 * Only reads of several pages are generators, and only while they last: a pending generator would hold
 * its frame and promises for every idle reader.
 */
export class TaskFollower<Chunk> implements ChunkSource<Chunk> {
  readonly #context: EngineContext;
  readonly #tails: Tails;
  readonly #control: StreamControl;
  readonly #state: ReaderState<Chunk>;
  readonly #position: FramesPosition<Chunk>;
  #isNew = true;
  #isFinished = false;
  /** Set if the log no longer contains what the reader has; the next step starts over. */
  #isLost = false;
  /** A read from the store in progress; its chunks come before anything else. */
  #pages?: AsyncGenerator<Chunk, void>;
  /** Set once the follower is live. */
  #tail?: Tail;
  /** Set together with the tail, unless series are sent as a whole. */
  #frames?: SharedFrames<Chunk>;
  /** Identifies the readers that receive the same batches; set if series are sent as a whole. */
  readonly #batchKey?: string = undefined;
  /** The pending request. */
  #request?: ReadRequest<Chunk>;
  /** Set while a step runs; `#onIdle` is called at its end. */
  #isBusy = false;
  #onIdle: (() => void)[] = [];
  #released?: Promise<void> = undefined;

  constructor(
    context: EngineContext,
    tails: Tails,
    query: FollowQuery,
    encoder: FrameEncoder<Chunk>,
    control: StreamControl,
  ) {
    this.#context = context;
    this.#tails = tails;
    this.#control = control;
    this.#state = new ReaderState(context, query, encoder, control);
    this.#position = this.#state.position;
    if (query.seriesFormat === "accumulated") {
      this.#batchKey = `${encoder.key} ${filterKey(query.filter)}`;
    }
    control.owner = this;
  }

  read(request: ReadRequest<Chunk>): void {
    this.#request = request;
    if (this.#serveFromTail() === undefined) void this.#step();
  }

  /** Releases a closed stream that has no pending read; a pending read notices the close itself. */
  onClosed(): void {
    if (this.#isNew || this.#isBusy || this.#request !== undefined) return;
    this.#isFinished = true;
    this.#release().catch((error) => this.#report(error));
  }

  async cancel(): Promise<void> {
    this.#control.close(); // Ends a wait.
    if (this.#isBusy) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
    this.#isFinished = true;
    await this.#release();
  }

  /**
   * Answers the request from memory, or waits for the tail. This is all that a live reader does, and it
   * uses no promise: a promise for each wait makes an event half as expensive again for each reader.
   *
   * The check and the start of the wait are one synchronous step, so no event can arrive in between.
   *
   * @returns `undefined` if the request needs an asynchronous step.
   */
  #serveFromTail(): "answered" | "waiting" | undefined {
    const tail = this.#tail;
    const frames = this.#frames;
    const position = this.#position;
    const { closed, isDraining } = this.#control;
    if (tail === undefined || this.#pages !== undefined || this.#isFinished) return undefined;
    if (this.#isLost) return undefined;
    if (closed && !isDraining) return undefined;
    if (!this.#hasSameLogAs(tail)) return undefined;
    const isAtEnd = position.through === tail.through && frames?.through === tail.through;
    if (frames !== undefined && !isAtEnd && position.through <= tail.through) {
      const taken = tail.sync(frames, position) ? frames.takeChunk(position) : "behind";
      if (taken === "behind") return undefined;
      if (taken !== undefined) {
        this.#answer(taken.chunk);
        return "answered";
      }
    }
    if (position.through !== tail.through || hasEnded(tail, position) || closed) return undefined;
    // A reader that asks again while it is being woken is still in the waiting list.
    if (!this.#control.isWaiting) {
      tail.wait(this.#control, this.#onWake, frames as unknown as SharedFrames<never>);
    }
    return "waiting";
  }

  /** Returns whether the tail is known to have the same log through the reader's position. */
  #hasSameLogAs(tail: Tail): boolean {
    if (tail.hasDiverged) return false;
    return this.#state.isVerified ||= tail.compare(this.#position) === "same";
  }

  readonly #onWake = (reason?: "heartbeat"): void => {
    // A consumer that receives a chunk may close the stream at once.
    if (this.#request === undefined) return;
    // Events go before a heartbeat, because its cursor claims that the reader has them all.
    const outcome = this.#serveFromTail();
    if (outcome === undefined) void this.#step();
    else if (outcome === "waiting" && reason === "heartbeat") {
      const heartbeat = this.#heartbeat();
      if (heartbeat !== undefined) this.#answer(heartbeat);
    }
    if (this.#request === undefined) this.#stopWaiting();
  };

  #stopWaiting(): void {
    this.#tail?.pause(this.#control, this.#frames as unknown as SharedFrames<never>);
  }

  /** Answers a request that memory cannot: the opening, reads from the store, joining the tail, the end. */
  async #step(): Promise<void> {
    this.#stopWaiting();
    this.#isBusy = true;
    let chunk: Chunk | undefined;
    let failure: { error: unknown } | undefined;
    try {
      if (!this.#isFinished) chunk = this.#isNew ? this.#open() : await this.#nextChunk();
    } catch (error) {
      this.#isLost = error instanceof Diverged;
      this.#isFinished = !this.#isLost;
      if (error instanceof TaskGone) chunk = this.#done("deleted");
      else if (!this.#isLost && !(error instanceof Cancelled)) failure = { error };
    }
    // The release starts after the last chunk and is not awaited: while the broadcast layer is
    // unreachable it may fail or hang.
    if (this.#isFinished && chunk === undefined) {
      this.#release().catch((error) => this.#report(error));
    }
    this.#isBusy = false;
    for (const resolve of this.#onIdle.splice(0)) resolve();
    if (chunk !== undefined) this.#answer(chunk);
    else if (failure !== undefined) this.#takeRequest().onError(failure.error);
    else if (this.#isFinished) this.#takeRequest().onEnd();
    else if (this.#serveFromTail() === undefined) void this.#step();
  }

  #answer(chunk: Chunk): void {
    try {
      this.#takeRequest().onChunk(chunk);
    } catch (error) {
      // A request must not throw. The readers that are woken after this one must not suffer from it.
      this.#report(error);
      this.cancel().catch((error) => this.#report(error));
    }
  }

  #report(error: unknown): void {
    const { taskId } = this.#state.query.start;
    this.#context.report(error, { operation: "subscription", taskId });
  }

  /** Returns the pending request, and clears it before it is answered: it may ask for the next chunk. */
  #takeRequest(): ReadRequest<Chunk> {
    const request = this.#request!;
    this.#request = undefined;
    return request;
  }

  #open(): Chunk {
    this.#isNew = false;
    this.#control.markStarted();
    return this.#opening();
  }

  /** Returns the opening message, and starts the replay that follows it. */
  #opening(): Chunk {
    this.#pages = replay(this.#state);
    return this.#state.encoder.open(openMessage(this.#state.query.start));
  }

  /** Returns the next chunk, or `undefined` if there is none yet or the stream has finished. */
  async #nextChunk(): Promise<Chunk | undefined> {
    const position = this.#position;
    if (this.#isLost) return await this.#restart();
    for (;;) {
      if (this.#pages !== undefined) {
        const { value, done } = await this.#pages.next();
        if (!done) return value;
        this.#pages = undefined;
      }
      const { closed, isDraining } = this.#control;
      if (closed && !(isDraining && this.#tail !== undefined)) return this.#finish();
      const tail = this.#tail ?? await this.#join();
      if (position.through > tail.through && !closed) await tail.advanceTo(position);
      const isSame = this.#hasSameLogAs(tail);
      if (tail.hasDiverged || (!isSame && tail.compare(position) === "other")) {
        if (closed) return this.#finish();
        await this.#leaveDiverged(tail);
        continue;
      }
      if (this.#frames !== undefined) {
        const isReachable = isSame && tail.sync(this.#frames, position);
        const taken = isReachable ? this.#frames.takeChunk(position) : "behind";
        if (taken === "behind") {
          if (closed) return this.#finish();
          position.segment = undefined;
          this.#pages = logPage(this.#state, tail);
          continue;
        }
        if (taken !== undefined) return taken.chunk;
      } else if (tail.through - position.through > this.#context.options.pageSize) {
        if (closed) return this.#finish();
        this.#pages = collapsedPages(this.#state, tail);
        continue;
      } else if (tail.through > position.through) {
        const chunk = await this.#takeBatch(tail);
        if (chunk !== undefined) return chunk;
        continue;
      }
      if (!hasEnded(tail, position)) return closed ? this.#finish() : undefined;
      this.#isFinished = true;
      return this.#done(tail.ending!);
    }
  }

  /** Ends the stream without an end message. */
  #finish(): undefined {
    this.#isFinished = true;
  }

  /** Joins the task's tail, which makes the follower live. */
  async #join(): Promise<Tail> {
    const { start: { taskId, incarnation }, filter } = this.#state.query;
    const { through, entropy } = this.#position;
    const tail = await this.#tails.acquire({ taskId, incarnation, through, entropy });
    this.#tail = tail;
    this.#state.isVerified = false;
    if (this.#batchKey === undefined) {
      this.#frames = tail.framesFor(filter, this.#state.encoder, this.#position);
    } else tail.batches.join(this.#batchKey);
    return tail;
  }

  /** Releases everything that the stream holds. Later calls return the same promise. */
  #release(): Promise<void> {
    return this.#released ??= this.#endAndLeave();
  }

  async #endAndLeave(): Promise<void> {
    this.#control.markEnded();
    await this.#leave();
  }

  /** Leaves the tail, and stops a read in progress. */
  async #leave(): Promise<void> {
    const pages = this.#pages;
    const tail = this.#tail;
    tail?.leave(this.#control, this.#frames as unknown as SharedFrames<never>);
    if (this.#batchKey !== undefined) tail?.batches.leave(this.#batchKey);
    this.#pages = this.#tail = this.#frames = undefined;
    await Promise.all([tail && this.#tails.release(tail), pages?.return()]);
  }

  /** Leaves without waiting, because the broadcast layer may be unreachable. */
  #leaveInBackground(): void {
    this.#leave().catch((error) => this.#report(error));
  }

  /**
   * Leaves a tail whose log differs from the reader's or the store's. If the store has the reader's log,
   * the follower continues with another tail.
   *
   * @throws {Diverged} If the store does not have it.
   */
  async #leaveDiverged(tail: Tail): Promise<void> {
    const { start: { taskId, incarnation } } = this.#state.query;
    const { through: after, entropy: afterEntropy } = this.#position;
    this.#position.segment = undefined;
    const page = await this.#state.store.readLog(taskId, { after, afterEntropy, limit: 1 });
    if (page === undefined || page.incarnation !== incarnation) throw new TaskGone();
    if (isLost(page, after)) throw new Diverged();
    tail.markDiverged();
    this.#leaveInBackground();
  }

  /** Tells the reader to drop what it has, and starts a replay of everything that is left. */
  async #restart(): Promise<Chunk | undefined> {
    this.#leaveInBackground();
    if (this.#control.closed) return this.#finish();
    const { taskId, incarnation } = this.#state.query.start;
    const head = await this.#state.store.getTask(taskId);
    if (head === undefined || head.record.incarnation !== incarnation) throw new TaskGone();
    this.#isLost = false;
    this.#state.restart(lostStart(head));
    return this.#opening();
  }

  /** Takes the snapshots of series that grew. They are read once for all readers at this position. */
  async #takeBatch(tail: Tail): Promise<Chunk | undefined> {
    const state = this.#state;
    const key = this.#batchKey!;
    const { through, entropy } = this.#position;
    const after = { through, entropy };
    const shared = tail.batches.get(key, after, () => collapsedBatch(state, tail));
    const batch = await awaitUnlessClosed(this.#control, shared);
    if (batch.through <= through) {
      // The tail is ahead of the store, whose log continues from this position without the tail's
      // events. Another tail reads those that the store has.
      tail.batches.discard(key, after);
      await pause(this.#context, this.#control);
      await this.#leaveDiverged(tail);
      return undefined;
    }
    state.moveTo(batch);
    state.isPartial = !batch.isWhole;
    return batch.chunk;
  }

  #heartbeat(): Chunk | undefined {
    const { encoder, isPartial } = this.#state;
    return this.#frames === undefined
      ? encoder.heartbeat(this.#state.cursor(isPartial ? "partial" : "exact"))
      : this.#frames.heartbeat();
  }

  #done(reason: DoneReason): Chunk {
    return this.#state.encoder.done({ reason }, this.#state.cursor("done"));
  }
}

function openMessage({ taskId, status, length, resume, isLost }: Start): OpenMessage {
  const message: OpenMessage = { taskId, status, resume, head: length - 1 };
  if (isLost) message.reset = true;
  return message;
}

/** Returns whether the task has ended and the reader has everything. */
function hasEnded({ ending, through }: Tail, position: { through: number }): boolean {
  return ending === "deleted" || (ending !== undefined && position.through >= through);
}
