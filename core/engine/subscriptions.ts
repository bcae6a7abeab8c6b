import type { TaskRecord } from "../contracts/records.ts";
import type { TaskCancel } from "../protocol/cancel.ts";
import type { EngineContext } from "../context/context.ts";
import { watchCancel } from "./calls/cancel.ts";
import { assertFunction } from "../domain/validate/checks.ts";
import {
  assertCount,
  assertFilter,
  assertOptions,
  assertSeriesFormat,
  assertSince,
} from "../domain/validate/query.ts";
import { assertIncarnation, incarnationOf } from "../domain/validate/task.ts";
import { assertTaskId } from "../protocol/task_id.ts";
import { followAll } from "../streams/follow_all.ts";
import { TaskFollower } from "../streams/follow_task.ts";
import type { FrameEncoder } from "../streams/frames.ts";
import { OpenStreams } from "../streams/open_streams.ts";
import { resolveStart } from "../streams/resolve_start.ts";
import { Tails } from "../streams/tails.ts";
import type { TaskStream } from "../streams/task_stream.ts";
import { assertEncoder } from "./assert_arguments.ts";
import type { Ending, EndWatch } from "./calls/end_watch.ts";
import { openEndWatch, watchEnd } from "./calls/end_watch.ts";
import type {
  EngineStats,
  IncarnationOptions,
  SubscribeAllOptions,
  SubscribeOptions,
} from "./options.ts";

/** The subscriptions of one engine: streams of one task or of all tasks, and watches for an end. */
export class Subscriptions {
  readonly #context: EngineContext;
  readonly #tails: Tails;
  readonly #streams = new OpenStreams();

  constructor(context: EngineContext) {
    this.#context = context;
    this.#tails = new Tails(context);
  }

  /** Current numbers and sizes. */
  get stats(): Pick<EngineStats, "streams" | "tails" | "tailBytes" | "viewBytes"> {
    return { streams: this.#streams.size, tails: this.#tails.size, ...this.#tails.bytes };
  }

  /** Returns the number of readers of a task. */
  readersOf(taskId: string): number {
    return this.#tails.readersOf(taskId);
  }

  /** Opens a stream of one task. */
  async open<Chunk>(
    taskId: string,
    options: Omit<SubscribeOptions, "signal">,
    encoder: FrameEncoder<Chunk>,
  ): Promise<TaskStream<Chunk>> {
    assertTaskId(taskId);
    assertOptions(options);
    const { filter = {}, since = {}, limit, seriesFormat = "delta", incarnation } = options;
    assertIncarnation(incarnation);
    assertFilter(filter);
    assertSince(since);
    assertSeriesFormat(seriesFormat);
    if (limit !== undefined) assertCount(limit, "limit", 0, Number.MAX_SAFE_INTEGER);
    assertEncoder(encoder);
    const start = await resolveStart(this.#context.reader, taskId, since, filter, incarnation);
    const query = { start, filter, seriesFormat, limit };
    return this.#streams.open(
      start.ended,
      (control) => new TaskFollower(this.#context, this.#tails, query, encoder, control),
    );
  }

  /** Opens a stream of all tasks. */
  openAll<Chunk>(
    options: Omit<SubscribeAllOptions, "signal">,
    encoder: FrameEncoder<Chunk>,
  ): TaskStream<Chunk> {
    assertOptions(options);
    const { filter = {}, visible = () => true } = options;
    assertFilter(filter);
    assertFunction(visible, "visible");
    assertEncoder(encoder);
    const query = { filter, visible: ({ task }: TaskRecord) => visible(task) };
    return this.#streams.open(
      false,
      (control) => followAll(this.#context, this.#tails, query, encoder, control),
    );
  }

  /** Calls `onEnd` once when a task ends or is deleted. The returned function stops it. */
  async watchEnd(
    taskId: string,
    onEnd: (ending: Ending) => void,
    options?: IncarnationOptions,
  ): Promise<() => void> {
    assertTaskId(taskId);
    assertFunction(onEnd, "onEnd");
    return await watchEnd(this.#context, this.#tails, taskId, onEnd, incarnationOf(options));
  }

  /** Calls `onCancel` once when somebody asks to cancel a task. The returned function stops it. */
  async watchCancel(
    taskId: string,
    onCancel: (cancel: TaskCancel) => void,
    options?: IncarnationOptions,
  ): Promise<() => void> {
    assertTaskId(taskId);
    assertFunction(onCancel, "onCancel");
    const incarnation = incarnationOf(options);
    return await watchCancel(this.#context, this.#tails, taskId, onCancel, incarnation);
  }

  /** Watches for the end of a task that exists, and returns its incarnation. */
  async openEndWatch(
    taskId: string,
    onEnd: (ending: Ending) => void,
    options?: IncarnationOptions,
  ): Promise<EndWatch> {
    assertTaskId(taskId);
    assertFunction(onEnd, "onEnd");
    return await openEndWatch(this.#context, this.#tails, taskId, onEnd, incarnationOf(options));
  }

  /** Ends each stream once it has sent what is in memory, and stops all timers. */
  close(): void {
    this.#streams.drain();
    this.#tails.close();
  }
}
