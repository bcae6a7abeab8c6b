import type { ErrorContext } from "../contracts/hooks.ts";
import type { EngineObserver } from "../contracts/observer.ts";
import type { EventDraft, StoredEvent, TaskRecord } from "../contracts/records.ts";
import { TaskcastError } from "../protocol/errors.ts";
import type { EventInput, TaskEvent } from "../protocol/event.ts";
import type { Limits } from "../protocol/limits.ts";
import { BOUNDS } from "../protocol/limits.ts";
import type {
  BlockedRequest,
  CreateTaskInput,
  Deletion,
  Task,
  TaskDetail,
  TransitionOptions,
} from "../protocol/task.ts";
import type { TaskStatus } from "../protocol/status.ts";
import { assertTaskId } from "../protocol/task_id.ts";
import { toTaskEvent } from "../domain/event_json.ts";
import { applyResolution, applyTransition } from "../domain/transition.ts";
import { assertJson } from "../domain/validate/json.ts";
import { assertFunction, text } from "../domain/validate/checks.ts";
import {
  assertCount,
  assertFilter,
  assertOptions,
  assertSeriesFormat,
  assertSince,
} from "../domain/validate/query.ts";
import {
  assertCreateTask,
  assertIncarnation,
  assertTransition,
  incarnationOf,
} from "../domain/validate/task.ts";
import { Archiver } from "../background/archiving/archiver.ts";
import {
  assertDisplacedPlace,
  assertEncoder,
  assertEngineParts,
  assertMarkedTask,
  assertObserver,
} from "./assert_arguments.ts";
import type { DependencyState } from "./check.ts";
import type { DisplacedExport, DisplacedPlace, DisplacedTask } from "./displaced_tasks.ts";
import { deleteDisplaced, exportDisplaced, listDisplaced } from "./displaced_tasks.ts";
import type { SetAside, SetAsideReport } from "../background/set_aside.ts";
import { HealthChecks } from "./check.ts";
import type { EngineContext } from "../context/context.ts";
import { createContext } from "./create_context.ts";
import { Cleaner } from "../background/cleanup/cleaner.ts";
import { draftOf } from "../context/drafts.ts";
import type { Ending, EndWatch } from "./end_watch.ts";
import { openEndWatch, watchEnd } from "./end_watch.ts";
import { TaskFollower } from "../streams/follow_task.ts";
import { followAll } from "../streams/follow_all.ts";
import type { FrameEncoder } from "../streams/frames.ts";
import type { HistoryPage } from "./history.ts";
import { readHistory } from "./history.ts";
import { HookCaller } from "./hook_caller.ts";
import type { ListTasksQuery, TaskPage } from "./list_tasks.ts";
import { listTasks } from "./list_tasks.ts";
import { resolveStart } from "../streams/resolve_start.ts";
import type { StreamMessage } from "../streams/object_encoder.ts";
import { objectEncoder } from "../streams/object_encoder.ts";
import type {
  EngineStats,
  HistoryOptions,
  IncarnationOptions,
  SubscribeAllOptions,
  SubscribeOptions,
  TaskEngineOptions,
} from "./options.ts";
import { OpenStreams } from "../streams/open_streams.ts";
import { readable } from "../streams/readable.ts";
import { taskNotFound } from "../context/refusals.ts";
import { Tails } from "../streams/tails.ts";
import type { TaskStream } from "../streams/task_stream.ts";
import type { MarkedTask } from "../contracts/work_queue.ts";
import type { WebhookStatus } from "../protocol/webhook.ts";
import { assertDeliverable, assertWebhookOptions } from "../background/webhooks/accept.ts";
import { Deliverer } from "../background/webhooks/deliverer.ts";
import { retryWebhook, webhookStatuses } from "../background/webhooks/status.ts";
import { Writer } from "./writer.ts";

/**
 * Tasks, their logs and their readers. Everything that a server does, as a library.
 *
 * @example Create, stream, follow
 * ```ts
 * import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
 * import assert from "node:assert/strict";
 *
 * const engine = new TaskEngine({
 *   broadcast: new MemoryBroadcastProvider(),
 *   shortTermStore: new MemoryShortTermStore(),
 * });
 * const task = await engine.createTask({ type: "llm.chat" });
 * for (const delta of ["Hel", "lo"]) {
 *   await engine.publishEvent(task.id, {
 *     type: "llm.delta",
 *     data: { delta },
 *     seriesId: "answer",
 *     seriesMode: "accumulate",
 *   });
 * }
 * await engine.transitionTask(task.id, "completed");
 *
 * const kinds: string[] = [];
 * let text = "";
 * for await (const message of engine.subscribe(task.id)) {
 *   kinds.push(message.kind);
 *   if (message.kind === "event" && message.event.seriesId === "answer") {
 *     text = (message.event.data as { delta: string }).delta;
 *   }
 * }
 * assert.deepEqual(kinds, ["open", "event", "event", "done"]);
 * assert.equal(text, "Hello");
 * await engine.close();
 * ```
 */
export class TaskEngine {
  readonly #context: EngineContext;
  readonly #tails: Tails;
  readonly #writer: Writer;
  readonly #archiver?: Archiver;
  readonly #cleaner: Cleaner;
  readonly #deliverer?: Deliverer;
  readonly #hooks: HookCaller;
  readonly #health: HealthChecks;
  readonly #streams = new OpenStreams();
  readonly #closing = new AbortController();

  /**
   * Starts the engine; it looks for due work right away. Nothing else runs until it is used.
   *
   * @throws {TypeError} If an adapter is missing, or lacks a method of its contract.
   * @throws {TaskcastError} `INVALID_INPUT` for clean-up rules, limits and options that are none.
   */
  constructor(options: TaskEngineOptions) {
    assertEngineParts(options);
    this.#hooks = new HookCaller(options.hooks);
    this.#context = createContext(options, (error, context) => this.#hooks.report(error, context));
    this.#tails = new Tails(this.#context);
    this.#health = new HealthChecks(this.#context);
    const cleaner = this.#cleaner = new Cleaner(this.#context);
    const { archive } = this.#context;
    if (archive !== undefined) {
      this.#archiver = new Archiver(this.#context, archive, {
        onMarked: (atMs) => cleaner.expect(atMs),
        onRefilled: (record) => this.#writer.refilled(record),
      });
    }
    if (options.webhooks !== undefined) {
      assertWebhookOptions(options.webhooks);
      this.#deliverer = new Deliverer(
        this.#context,
        options.webhooks,
        (task, failure) => this.#hooks.webhookFailed(task, failure),
      );
    }
    const { archiver, deliverer } = { archiver: this.#archiver, deliverer: this.#deliverer };
    this.#writer = new Writer(this.#context, this.#hooks, { archiver, deliverer, cleaner });
    this.#writer.scheduler.start();
    archiver?.start();
    deliverer?.start();
    cleaner.start();
  }

  /** What the engine has done so far, and what it holds now. */
  get stats(): EngineStats {
    const { counts, lagMs } = this.#archiver ?? NO_ARCHIVER;
    return {
      ...this.#writer.counts,
      ...counts,
      ...this.#cleaner.counts,
      archiveLagMs: lagMs,
      webhooksDelivered: this.#deliverer?.counts.delivered ?? 0,
      webhookAttemptsFailed: this.#deliverer?.counts.attemptsFailed ?? 0,
      webhooksGivenUp: this.#deliverer?.counts.givenUp ?? 0,
      webhooksUnderWay: this.#deliverer?.counts.underWay ?? 0,
      dueLagMs: this.#writer.scheduler.lagMs,
      streams: this.#streams.size,
      tails: this.#tails.size,
      ...this.#tails.bytes,
    };
  }

  /** The bounds in force. */
  get limits(): Readonly<Limits> {
    return this.#context.limits;
  }

  /** Aborts when the engine closes. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /**
   * Creates a task, `pending` and with an empty log.
   *
   * @param traceparent The W3C `traceparent` of whoever asks for it, which is kept with the task
   * and sent to its webhooks; ignored when it is none.
   * @throws {TaskcastError} `INVALID_INPUT`, `PAYLOAD_TOO_LARGE`, `NOT_SUPPORTED`, `TASK_EXISTS`,
   * `STORE_FULL`, `STORE_UNAVAILABLE`.
   */
  async createTask(
    input: CreateTaskInput = {},
    options: { traceparent?: string } = {},
  ): Promise<Task> {
    this.#assertOpen();
    assertCreateTask(input, this.limits);
    assertOptions(options);
    if (input.webhooks !== undefined) assertDeliverable(input.webhooks, this.#deliverer?.sender);
    return await this.#writer.create(input, options.traceparent);
  }

  /** A task and where its log stands, or `undefined`. */
  async getTask(taskId: string): Promise<TaskDetail | undefined> {
    return (await this.readTask(taskId))?.task;
  }

  /** {@linkcode getTask} for servers: with the incarnation that further calls can be about. */
  async readTask(
    taskId: string,
  ): Promise<{ task: TaskDetail; incarnation: string } | undefined> {
    assertTaskId(taskId);
    const head = await this.#context.reader.getTask(taskId);
    if (head === undefined) return undefined;
    const { record: { task, incarnation }, length } = head;
    const subscriberCount = this.#tails.readersOf(taskId);
    return { task: { ...task, lastIndex: length - 1, subscriberCount }, incarnation };
  }

  /** Tasks, newest first, a page at a time. */
  async listTasks(query: ListTasksQuery = {}): Promise<TaskPage> {
    return await listTasks(this.#context.reader, query);
  }

  /**
   * Moves a task to another state. Of several that would end it, exactly one succeeds.
   *
   * @throws {TaskcastError} `TASK_NOT_FOUND`, `INVALID_TRANSITION`, `INVALID_INPUT`,
   * `PAYLOAD_TOO_LARGE`, `STORE_UNAVAILABLE`.
   */
  async transitionTask(
    taskId: string,
    status: TaskStatus,
    options: TransitionOptions = {},
    life?: IncarnationOptions,
  ): Promise<Task> {
    this.#assertOpen();
    assertTaskId(taskId);
    const incarnation = incarnationOf(life);
    assertTransition(status, options, this.limits);
    return await this.#writer.change(
      taskId,
      (record, nowMs) => applyTransition(record, status, options, nowMs),
      { incarnation },
    );
  }

  /**
   * Answers what a blocked task waits for, and sets it running again.
   *
   * @param resolution Any JSON value.
   * @throws {TaskcastError} `TASK_NOT_FOUND`, `INVALID_TRANSITION`, `INVALID_INPUT`.
   */
  async resolve(
    taskId: string,
    resolution: unknown,
    life?: IncarnationOptions,
  ): Promise<Task> {
    this.#assertOpen();
    assertTaskId(taskId);
    const incarnation = incarnationOf(life);
    assertJson(resolution, "data", this.limits);
    return await this.#writer.change(
      taskId,
      (record, nowMs) => applyResolution(record, resolution, nowMs),
      { incarnation },
    );
  }

  /** What a blocked task waits for, or `undefined` when it waits for nothing. */
  async getRequest(taskId: string): Promise<BlockedRequest | undefined> {
    const task = await this.getTask(taskId);
    if (task === undefined) throw taskNotFound(taskId);
    return task.blockedRequest;
  }

  /**
   * Deletes a task, its log and everything about it. Its readers are told.
   *
   * @returns `pending` while the archive cannot be reached: it is gone for everybody, its id is closed,
   * and the archive's copy is deleted as soon as that can be done.
   * @throws {TaskcastError} `TASK_NOT_FOUND`, `STORE_UNAVAILABLE`.
   */
  async deleteTask(
    taskId: string,
    life?: IncarnationOptions,
  ): Promise<Deletion> {
    this.#assertOpen();
    assertTaskId(taskId);
    const incarnation = incarnationOf(life);
    return await this.#writer.delete(taskId, incarnation);
  }

  /**
   * Appends an event to a task's log.
   *
   * @throws {TaskcastError} `TASK_NOT_FOUND`, `TASK_TERMINAL`, `INVALID_INPUT`, `SERIES_CONFLICT`,
   * `SEQUENCE_GAP`, `PRODUCER_FENCED`, `PAYLOAD_TOO_LARGE`, `TASK_FULL`, `STORE_FULL`,
   * `STORE_UNAVAILABLE`. Nothing is stored then.
   */
  async publishEvent(
    taskId: string,
    event: EventInput,
    options?: IncarnationOptions,
  ): Promise<TaskEvent> {
    return toTaskEvent(taskId, await this.appendEvent(taskId, event, options));
  }

  /** {@linkcode publishEvent} for servers: what it returns still has its data as JSON text. */
  async appendEvent(
    taskId: string,
    event: EventInput,
    life?: IncarnationOptions,
  ): Promise<StoredEvent> {
    this.#assertOpen();
    assertTaskId(taskId);
    const incarnation = incarnationOf(life);
    const drafts = [draftOf(event, "", this.limits)];
    const stored = await this.#writer.append(taskId, drafts, incarnation);
    return stored[0]!;
  }

  /** Appends several events in one step: all of them or none. See {@linkcode publishEvent}. */
  async publishEvents(
    taskId: string,
    events: readonly EventInput[],
    options?: IncarnationOptions,
  ): Promise<TaskEvent[]> {
    const stored = await this.appendEvents(taskId, events, options);
    return stored.map((event) => toTaskEvent(taskId, event));
  }

  /** {@linkcode publishEvents} for servers: what it returns still has its data as JSON text. */
  async appendEvents(
    taskId: string,
    events: readonly EventInput[],
    life?: IncarnationOptions,
  ): Promise<StoredEvent[]> {
    this.#assertOpen();
    assertTaskId(taskId);
    const incarnation = incarnationOf(life);
    const { maxBatchEvents } = this.limits;
    if (!Array.isArray(events) || events.length > maxBatchEvents) {
      throw new TaskcastError(
        "INVALID_INPUT",
        `The body must be an array of at most ${maxBatchEvents} events; send more in further requests`,
        { details: { path: "", maxBatchEvents } },
      );
    }
    const drafts: EventDraft[] = [];
    // Not map(), which passes holes over.
    for (let i = 0; i < events.length; i++) drafts.push(draftOf(events[i]!, `[${i}]`, this.limits));
    return await this.#writer.append(taskId, drafts, incarnation);
  }

  /**
   * Part of a task's history, in order. Go on with `since: { id: nextCursor }`.
   *
   * @throws {TaskcastError} `TASK_NOT_FOUND`, `INVALID_CURSOR`, `INVALID_INPUT`.
   */
  async getEvents(
    taskId: string,
    options: HistoryOptions = {},
  ): Promise<{ events: TaskEvent[]; nextCursor?: string }> {
    const { events, nextCursor } = await this.readEvents(taskId, options);
    return { events: events.map((event) => toTaskEvent(taskId, event)), nextCursor };
  }

  /** {@linkcode getEvents} for servers: what it returns still has its data as JSON text. */
  async readEvents(taskId: string, options: HistoryOptions = {}): Promise<HistoryPage> {
    assertTaskId(taskId);
    assertOptions(options);
    const { filter = {}, since = {}, limit = 1000, seriesFormat = "delta", incarnation } = options;
    assertIncarnation(incarnation);
    assertFilter(filter);
    assertSince(since);
    assertSeriesFormat(seriesFormat);
    assertCount(limit, "limit", 1, BOUNDS.historyPage);
    const start = await resolveStart(this.#context.reader, taskId, since, filter, incarnation);
    return await readHistory(this.#context, { start, filter, seriesFormat, limit });
  }

  /**
   * Follows a task: what is there, then what comes, through its end.
   *
   * Reads only as fast as it is read. Leaving the loop, cancelling the stream or aborting the
   * signal ends it; the task goes on.
   *
   * @throws {TaskcastError} From the first read: `TASK_NOT_FOUND`, `INVALID_CURSOR`,
   * `INVALID_INPUT`.
   */
  subscribe(taskId: string, options: SubscribeOptions = {}): ReadableStream<StreamMessage> {
    return readable(() => this.openStream(taskId, options, objectEncoder), options?.signal);
  }

  /** Follows all tasks, those created later too: live from now on, nothing is replayed. */
  subscribeAll(options: SubscribeAllOptions = {}): ReadableStream<StreamMessage> {
    return readable(() => this.openStreamOfAll(options, objectEncoder), options?.signal);
  }

  /** {@linkcode subscribe} for servers, in chunks of any kind. */
  async openStream<Chunk>(
    taskId: string,
    options: Omit<SubscribeOptions, "signal">,
    encoder: FrameEncoder<Chunk>,
  ): Promise<TaskStream<Chunk>> {
    this.#assertOpen();
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

  /** {@linkcode subscribeAll} for servers, in chunks of any kind. */
  async openStreamOfAll<Chunk>(
    options: Omit<SubscribeAllOptions, "signal">,
    encoder: FrameEncoder<Chunk>,
  ): Promise<TaskStream<Chunk>> {
    this.#assertOpen();
    assertOptions(options);
    const { filter = {}, visible = () => true } = options;
    assertFilter(filter);
    assertFunction(visible, "visible");
    assertEncoder(encoder);
    const query = { filter, visible: ({ task }: TaskRecord) => visible(task) };
    return await Promise.resolve(this.#streams.open(
      false,
      (control) => followAll(this.#context, this.#tails, query, encoder, control),
    ));
  }

  /**
   * Calls `onEnd` once when a task ends or is deleted, so that a producer can stop.
   *
   * @returns Stops watching.
   */
  async watchEnd(
    taskId: string,
    onEnd: (ending: Ending) => void,
    life?: IncarnationOptions,
  ): Promise<() => void> {
    assertTaskId(taskId);
    assertFunction(onEnd, "onEnd");
    const incarnation = incarnationOf(life);
    return await watchEnd(this.#context, this.#tails, taskId, onEnd, incarnation);
  }

  /**
   * {@linkcode watchEnd} for servers: tells which incarnation it watches, so that what is done
   * meanwhile can be about that one.
   *
   * @throws {TaskcastError} `TASK_NOT_FOUND`, `STORE_UNAVAILABLE`: then nothing is watched.
   */
  async openEndWatch(
    taskId: string,
    onEnd: (ending: Ending) => void,
    life?: IncarnationOptions,
  ): Promise<EndWatch> {
    assertTaskId(taskId);
    assertFunction(onEnd, "onEnd");
    const incarnation = incarnationOf(life);
    return await openEndWatch(this.#context, this.#tails, taskId, onEnd, incarnation);
  }

  /**
   * Asks each dependency whether it can be used. Answers within half a second: of one that takes
   * longer what was known before, if that is no older than 15 seconds, and meanwhile the question
   * goes on for those who ask next.
   *
   * @param patienceMs Milliseconds to wait, for who can wait longer. @default 400
   * @returns By name: `ok`, or why not.
   */
  async check(
    { patienceMs }: { patienceMs?: number } = {},
  ): Promise<Record<string, DependencyState>> {
    return await this.#health.states({ patienceMs, lagMs: this.#archiver?.lagMs });
  }

  /**
   * Settles now what is due: time-outs, wake-ups, archiving, webhooks, clean-up. Usually the engine
   * does that by itself.
   */
  async sweep(): Promise<void> {
    await this.#writer.scheduler.sweep();
    await this.#archiver?.run();
    await this.#deliverer?.run();
    await this.#cleaner.run();
  }

  /**
   * Where the webhooks of a task stand, in the order of the task and then of the server.
   *
   * @throws {TaskcastError} `TASK_NOT_FOUND`, `STORE_UNAVAILABLE`.
   */
  async getWebhooks(
    taskId: string,
    life?: IncarnationOptions,
  ): Promise<WebhookStatus[]> {
    assertTaskId(taskId);
    const incarnation = incarnationOf(life);
    return await webhookStatuses(this.#context, this.#deliverer, taskId, incarnation);
  }

  /**
   * Tries deliveries of a webhook that were given up again, before anything else.
   *
   * @param hook What it is called; see {@linkcode WebhookStatus}.
   * @returns How many deliveries.
   * @throws {TaskcastError} `TASK_NOT_FOUND`, `WEBHOOK_NOT_FOUND`, `STORE_UNAVAILABLE`.
   */
  async retryWebhook(
    taskId: string,
    hook: string,
    life?: IncarnationOptions,
  ): Promise<number> {
    this.#assertOpen();
    assertTaskId(taskId);
    text(hook, "hook");
    const incarnation = incarnationOf(life);
    return await retryWebhook(this.#context, this.#deliverer, taskId, hook, incarnation);
  }

  /**
   * Tasks with deliveries that were given up, the longest ago first.
   *
   * @param after The last of the page before.
   * @param limit 1 to 500.
   */
  async listUndelivered(
    options: { limit?: number; after?: MarkedTask } = {},
  ): Promise<MarkedTask[]> {
    assertOptions(options);
    const { limit = 50, after } = options;
    assertCount(limit, "limit", 1, BOUNDS.listPage);
    if (after !== undefined) assertMarkedTask(after, "after");
    return await this.#context.store.marked("undelivered", { limit, after });
  }

  /**
   * Ends all streams, so that their readers go on elsewhere, and stops all timers. Stores and
   * broadcast belong to the host and stay open. Safe to call twice.
   */
  async close(): Promise<void> {
    if (!this.#closing.signal.aborted) {
      this.#closing.abort(engineClosed());
      this.#streams.close();
      this.#tails.close();
    }
    const jobs = [this.#writer.scheduler, this.#archiver, this.#deliverer, this.#cleaner];
    await Promise.all(jobs.map((job) => job?.close()));
  }

  /** {@linkcode close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * Tells an observer of what the engine does from now on.
   *
   * @returns Stops it.
   */
  observe(observer: EngineObserver): () => void {
    assertObserver(observer);
    return this.#context.observers.add(observer);
  }

  /**
   * Tasks whose work fails while that of others is done, by the queue that they wait in: how many, and
   * those that have waited longest. They are tried again later and later; of this instance only.
   *
   * @param limit Of each queue. @default 20
   */
  setAside(options: { limit?: number } = {}): SetAsideReport {
    assertOptions(options);
    const { limit = 20 } = options;
    assertCount(limit, "limit", 0, Number.MAX_SAFE_INTEGER);
    const of = (set: SetAside) => ({ count: set.size, tasks: set.list(limit) });
    return {
      due: of(this.#writer.scheduler.setAside),
      cleanup: of(this.#cleaner.setAside),
      ...(this.#archiver && {
        archive: of(this.#archiver.setAside.archive),
        release: of(this.#archiver.setAside.release),
      }),
      ...(this.#deliverer && { webhooks: of(this.#deliverer.setAside) }),
    };
  }

  /**
   * Tasks that the archive keeps though others have taken their ids, newest first. That happens when a
   * task is created with an id of its own while the archive cannot be asked whether it is new.
   *
   * @param after The last of the page before.
   * @param limit 1 to 500.
   * @throws {TaskcastError} `STORE_UNAVAILABLE`.
   */
  async listDisplaced(
    options: { limit?: number; after?: DisplacedPlace } = {},
  ): Promise<DisplacedTask[]> {
    assertOptions(options);
    if (options.after !== undefined) assertDisplacedPlace(options.after, "after");
    return await listDisplaced(this.#context, options);
  }

  /**
   * A displaced task with its log.
   *
   * @throws {TaskcastError} `TASK_NOT_FOUND`, `STORE_UNAVAILABLE`.
   */
  async exportDisplaced(taskId: string, incarnation: string): Promise<DisplacedExport> {
    assertTaskId(taskId);
    text(incarnation, "incarnation");
    const found = await exportDisplaced(this.#context, taskId, incarnation);
    if (found === undefined) throw taskNotFound(taskId);
    return found;
  }

  /**
   * Deletes a displaced task for good.
   *
   * @throws {TaskcastError} `TASK_NOT_FOUND`, `STORE_UNAVAILABLE`.
   */
  async deleteDisplaced(taskId: string, incarnation: string): Promise<void> {
    this.#assertOpen();
    assertTaskId(taskId);
    text(incarnation, "incarnation");
    if (!await deleteDisplaced(this.#context, taskId, incarnation)) throw taskNotFound(taskId);
  }

  /** How many tasks wait for the archive, counted up to a bound; `undefined` without an archive. */
  async archiveBacklog(options: { limit?: number } = {}): Promise<number | undefined> {
    assertOptions(options);
    const { limit = 500 } = options;
    assertCount(limit, "limit", 1, BOUNDS.listPage);
    if (this.#archiver === undefined) return undefined;
    return (await this.#context.store.marked("archive", { limit })).length;
  }

  /** Tells the host's `onUnhandledError` hook of an error that no caller hears of. Never throws. */
  reportError(error: unknown, context: ErrorContext): void {
    this.#hooks.report(error, context);
  }

  #assertOpen(): void {
    if (this.#closing.signal.aborted) throw engineClosed();
  }
}

const NO_ARCHIVER = {
  counts: {
    eventsArchived: 0,
    tasksReleased: 0,
    tasksDisplaced: 0,
    tasksOvertaken: 0,
    tasksRefilled: 0,
  },
  lagMs: 0,
};

function engineClosed(): TaskcastError {
  return new TaskcastError("ENGINE_CLOSED", "The engine is closed; try again on another instance");
}
