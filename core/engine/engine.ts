import type { BroadcastProvider, Signal } from "../contracts/broadcast.ts";
import type { Clock } from "../contracts/clock.ts";
import { systemClock } from "../contracts/clock.ts";
import type { ErrorContext, TaskcastHooks } from "../contracts/hooks.ts";
import type { DueKind, EventDraft, StoredEvent, TaskRecord } from "../contracts/records.ts";
import type { Commit, CommitResult, ShortTermStore } from "../contracts/short_term_store.ts";
import { TaskcastError } from "../protocol/errors.ts";
import type { EventFilter, EventInput, SeriesFormat, Since, TaskEvent } from "../protocol/event.ts";
import type { Limits } from "../protocol/limits.ts";
import { BOUNDS, DEFAULT_LIMITS } from "../protocol/limits.ts";
import type {
  BlockedRequest,
  CreateTaskInput,
  Task,
  TaskDetail,
  TaskStatus,
  TransitionOptions,
} from "../protocol/task.ts";
import { isTerminal } from "../protocol/task.ts";
import { ulid } from "../protocol/ulid.ts";
import { toTaskEvent } from "../rules/event_json.ts";
import type { Change } from "../rules/transition.ts";
import { applyResolution, applyTransition, dueTimes, newRecord } from "../rules/transition.ts";
import {
  assertCount,
  assertCreateTask,
  assertFilter,
  assertJson,
  assertSeriesFormat,
  assertSince,
  assertTaskId,
  assertTransition,
} from "../rules/validate.ts";
import type { EngineContext, EngineOptions } from "./context.ts";
import { DEFAULT_ENGINE_OPTIONS } from "./context.ts";
import { draftOf, serverDraft } from "./drafts.ts";
import type { Ending } from "./end_watch.ts";
import { watchEnd } from "./end_watch.ts";
import { follow } from "./follow.ts";
import { followAll } from "./follow_all.ts";
import type { FrameEncoder } from "./frames.ts";
import type { HistoryPage } from "./history.ts";
import { readHistory } from "./history.ts";
import type { ListTasksQuery, TaskPage } from "./list_tasks.ts";
import { listTasks } from "./list_tasks.ts";
import { locate } from "./locate.ts";
import type { StreamMessage } from "./object_encoder.ts";
import { objectEncoder } from "./object_encoder.ts";
import { refusalError, taskNotFound } from "./refusals.ts";
import { Scheduler } from "./scheduler.ts";
import { StreamControl } from "./stream_control.ts";
import { Tails } from "./tails.ts";

/** What a {@linkcode TaskEngine} is made of. */
export interface TaskEngineOptions {
  /** Wakes readers. */
  broadcast: BroadcastProvider;
  /** Holds tasks and logs. */
  shortTermStore: ShortTermStore;
  /** Called after what they are about is stored. */
  hooks?: TaskcastHooks;
  /** Bounds of what producers may send; see {@linkcode DEFAULT_LIMITS}. */
  limits?: Partial<Limits>;
  /** Sizes and times; see {@linkcode DEFAULT_ENGINE_OPTIONS}. */
  options?: Partial<EngineOptions>;
  /** @default {systemClock} */
  clock?: Clock;
}

/** What a reader of one task asks for. */
export interface SubscribeOptions {
  /** Only events that match. @default all */
  filter?: EventFilter;
  /** Where to go on. @default the beginning, with each series collapsed to its newest event */
  since?: Since;
  /** Replays at most the last of the events, then goes on live. @default all */
  limit?: number;
  /** @default {"delta"} */
  seriesFormat?: SeriesFormat;
  /** Ends the subscription. */
  signal?: AbortSignal;
}

/** What a reader of all tasks asks for. */
export interface SubscribeAllOptions {
  /** Only events that match. @default all */
  filter?: EventFilter;
  /** Only tasks for which this holds; asked once per task. @default all */
  visible?: (task: Task) => boolean;
  /** Ends the subscription. */
  signal?: AbortSignal;
}

/** Which part of a task's history. */
export interface HistoryOptions {
  /** Only events that match. @default all */
  filter?: EventFilter;
  /** Where it begins. @default the first event */
  since?: Since;
  /** Most events: 1 to 10 000. @default {1000} */
  limit?: number;
  /** `accumulated`: of each series only the newest event, with the whole text. @default {"delta"} */
  seriesFormat?: SeriesFormat;
}

/** Counters since the engine began, and gauges of now. */
export interface EngineStats {
  /** Tasks created. */
  tasksCreated: number;
  /** Tasks that reached a terminal state. */
  tasksEnded: number;
  /** Events appended, those of the server included. */
  eventsStored: number;
  /** Commits that were carried out. */
  commits: number;
  /** Open streams. */
  streams: number;
  /** Tasks with open streams. */
  tails: number;
}

/** A stream of chunks as an encoder makes them. */
export interface TaskStream<Chunk> {
  /** The reader came with the cursor of the end: there is nothing to send. */
  ended: boolean;
  /** The chunks; nothing is read before the first is asked for. */
  chunks: AsyncGenerator<Chunk, void>;
  /** Ends the stream and gives up what it holds. Safe to call twice. */
  close(): void;
}

/**
 * Tasks, their logs and their readers. Everything that a server does, as a library.
 *
 * @example Create, stream, follow
 * ```ts
 * import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
 * import assert from "node:assert/strict";
 *
 * await using engine = new TaskEngine({
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
 * ```
 */
export class TaskEngine {
  readonly #context: EngineContext;
  readonly #tails: Tails;
  readonly #scheduler: Scheduler;
  readonly #hooks: TaskcastHooks;
  readonly #streams = new Set<StreamControl>();
  readonly #closing = new AbortController();
  readonly #counts = { tasksCreated: 0, tasksEnded: 0, eventsStored: 0, commits: 0 };

  /** Starts the engine; it looks for due work right away. Nothing else runs until it is used. */
  constructor(options: TaskEngineOptions) {
    this.#hooks = options.hooks ?? {};
    this.#context = {
      store: options.shortTermStore,
      broadcast: options.broadcast,
      clock: options.clock ?? systemClock,
      limits: { ...DEFAULT_LIMITS, ...options.limits },
      options: { ...DEFAULT_ENGINE_OPTIONS, ...options.options },
      report: (error, context) => this.reportError(error, context),
    };
    this.#tails = new Tails(this.#context);
    this.#scheduler = new Scheduler(this.#context, (kind, taskId) => this.#settle(kind, taskId));
    this.#scheduler.start();
  }

  /** What the engine has done so far, and what it holds now. */
  get stats(): EngineStats {
    return { ...this.#counts, streams: this.#streams.size, tails: this.#tails.size };
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
   * @throws {TaskcastError} `INVALID_INPUT`, `PAYLOAD_TOO_LARGE`, `NOT_SUPPORTED`, `TASK_EXISTS`,
   * `STORE_FULL`, `STORE_UNAVAILABLE`.
   */
  async createTask(input: CreateTaskInput = {}): Promise<Task> {
    this.#assertOpen();
    assertCreateTask(input, this.limits);
    const nowMs = this.#context.clock.now();
    const identity = { id: input.id ?? ulid(nowMs), incarnation: newIncarnation() };
    const record = newRecord(input, identity, nowMs);
    const result = await this.#commit(record.task.id, "absent", nowMs, [], record);
    if (!result.ok) throw refusalError(record.task.id, result.refusal);
    this.#hook("onTaskCreated", record.task);
    return structuredClone(record.task);
  }

  /** A task and where its log stands, or `undefined`. */
  async getTask(taskId: string): Promise<TaskDetail | undefined> {
    assertTaskId(taskId);
    const head = await this.#context.store.getTask(taskId);
    if (head === undefined) return undefined;
    return {
      ...head.record.task,
      lastIndex: head.length - 1,
      subscriberCount: this.#tails.readersOf(taskId),
    };
  }

  /** Tasks, newest first, a page at a time. */
  async listTasks(query: ListTasksQuery = {}): Promise<TaskPage> {
    return await listTasks(this.#context.store, query);
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
  ): Promise<Task> {
    this.#assertOpen();
    assertTaskId(taskId);
    assertTransition(status, options, this.limits);
    return await this.#change(
      taskId,
      (record, nowMs) => applyTransition(record, status, options, nowMs),
    );
  }

  /**
   * Answers what a blocked task waits for, and sets it running again.
   *
   * @param resolution Any JSON value.
   * @throws {TaskcastError} `TASK_NOT_FOUND`, `INVALID_TRANSITION`, `INVALID_INPUT`.
   */
  async resolve(taskId: string, resolution: unknown): Promise<Task> {
    this.#assertOpen();
    assertTaskId(taskId);
    assertJson(resolution, "data", this.limits);
    return await this.#change(
      taskId,
      (record, nowMs) => applyResolution(record, resolution, nowMs),
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
   * @throws {TaskcastError} `TASK_NOT_FOUND`, `STORE_UNAVAILABLE`.
   */
  async deleteTask(taskId: string): Promise<void> {
    this.#assertOpen();
    assertTaskId(taskId);
    if (!await this.#context.store.deleteTask(taskId)) throw taskNotFound(taskId);
    await this.#announce({ taskId, from: 0, length: 0, ended: true });
  }

  /**
   * Appends an event to a task's log.
   *
   * @throws {TaskcastError} `TASK_NOT_FOUND`, `TASK_TERMINAL`, `INVALID_INPUT`, `SERIES_CONFLICT`,
   * `SEQUENCE_GAP`, `PRODUCER_FENCED`, `PAYLOAD_TOO_LARGE`, `TASK_FULL`, `STORE_FULL`,
   * `STORE_UNAVAILABLE`. Nothing is stored then.
   */
  async publishEvent(taskId: string, event: EventInput): Promise<TaskEvent> {
    return toTaskEvent(taskId, await this.appendEvent(taskId, event));
  }

  /** {@linkcode publishEvent} for servers: what it returns still has its data as JSON text. */
  async appendEvent(taskId: string, event: EventInput): Promise<StoredEvent> {
    const [stored] = await this.#append(taskId, [draftOf(event, "", this.limits)]);
    return stored!;
  }

  /** Appends several events in one step: all of them or none. See {@linkcode publishEvent}. */
  async publishEvents(taskId: string, events: readonly EventInput[]): Promise<TaskEvent[]> {
    return (await this.appendEvents(taskId, events)).map((event) => toTaskEvent(taskId, event));
  }

  /** {@linkcode publishEvents} for servers: what it returns still has its data as JSON text. */
  async appendEvents(taskId: string, events: readonly EventInput[]): Promise<StoredEvent[]> {
    const { maxBatchEvents } = this.limits;
    if (!Array.isArray(events) || events.length > maxBatchEvents) {
      throw new TaskcastError(
        "INVALID_INPUT",
        `The body must be an array of at most ${maxBatchEvents} events; send more in further requests`,
        { details: { path: "", maxBatchEvents } },
      );
    }
    const drafts = events.map((event, i) => draftOf(event, `[${i}]`, this.limits));
    return await this.#append(taskId, drafts);
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
    const { filter = {}, since = {}, limit = 1000, seriesFormat = "delta" } = options;
    assertFilter(filter);
    assertSince(since);
    assertSeriesFormat(seriesFormat);
    assertCount(limit, "limit", 1, BOUNDS.historyPage);
    const start = await locate(this.#context.store, taskId, since, filter);
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
    return readable(() => this.openStream(taskId, options, objectEncoder), options.signal);
  }

  /** Follows all tasks, those created later too: live from now on, nothing is replayed. */
  subscribeAll(options: SubscribeAllOptions = {}): ReadableStream<StreamMessage> {
    return readable(() => this.openStreamOfAll(options, objectEncoder), options.signal);
  }

  /** {@linkcode subscribe} for servers, in chunks of any kind. */
  async openStream<Chunk>(
    taskId: string,
    options: Omit<SubscribeOptions, "signal">,
    encoder: FrameEncoder<Chunk>,
  ): Promise<TaskStream<Chunk>> {
    this.#assertOpen();
    assertTaskId(taskId);
    const { filter = {}, since = {}, limit, seriesFormat = "delta" } = options;
    assertFilter(filter);
    assertSince(since);
    assertSeriesFormat(seriesFormat);
    if (limit !== undefined) assertCount(limit, "limit", 0, Number.MAX_SAFE_INTEGER);
    const start = await locate(this.#context.store, taskId, since, filter);
    const query = { start, filter, seriesFormat, limit };
    return this.#open(
      start.ended,
      (control) => follow(this.#context, this.#tails, query, encoder, control),
    );
  }

  /** {@linkcode subscribeAll} for servers, in chunks of any kind. */
  async openStreamOfAll<Chunk>(
    options: Omit<SubscribeAllOptions, "signal">,
    encoder: FrameEncoder<Chunk>,
  ): Promise<TaskStream<Chunk>> {
    this.#assertOpen();
    const { filter = {}, visible = () => true } = options;
    assertFilter(filter);
    const query = { filter, visible: ({ task }: TaskRecord) => visible(task) };
    return await Promise.resolve(this.#open(
      false,
      (control) => followAll(this.#context, this.#tails, query, encoder, control),
    ));
  }

  /**
   * Calls `onEnd` once when a task ends or is deleted, so that a producer can stop.
   *
   * @returns Stops watching.
   */
  async watchEnd(taskId: string, onEnd: (ending: Ending) => void): Promise<() => void> {
    assertTaskId(taskId);
    return await watchEnd(this.#context, this.#tails, taskId, onEnd);
  }

  /**
   * Asks each dependency whether it answers.
   *
   * @returns By name: `ok`, or why not.
   */
  async check(): Promise<Record<string, { ok: boolean; error?: string }>> {
    try {
      await this.#context.store.getTask("taskcast-check");
      return { shortTermStore: { ok: true } };
    } catch (error) {
      this.reportError(error, { operation: "check" });
      return { shortTermStore: { ok: false, error: "cannot be reached" } };
    }
  }

  /** Settles now what is due: time-outs and wake-ups. Usually the engine does that by itself. */
  async sweep(): Promise<void> {
    await this.#scheduler.sweep();
  }

  /**
   * Ends all streams, so that their readers go on elsewhere, and stops all timers. Stores and
   * broadcast belong to the host and stay open. Safe to call twice.
   */
  async close(): Promise<void> {
    if (!this.#closing.signal.aborted) {
      this.#closing.abort(engineClosed());
      for (const control of this.#streams) control.close();
    }
    await this.#scheduler.close();
  }

  /** {@linkcode close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Tells the host's `onUnhandledError` hook of an error that no caller hears of. Never throws. */
  reportError(error: unknown, context: ErrorContext): void {
    const failed = (again: unknown) => console.error("onUnhandledError failed:", again);
    try {
      const hook = this.#hooks.onUnhandledError;
      if (hook === undefined) console.error(`Taskcast: error in ${context.operation}:`, error);
      else Promise.resolve(hook(error, context)).catch(failed);
    } catch (again) {
      failed(again);
    }
  }

  async #append(taskId: string, drafts: readonly EventDraft[]): Promise<StoredEvent[]> {
    this.#assertOpen();
    assertTaskId(taskId);
    const result = await this.#commit(taskId, "live", this.#context.clock.now(), drafts);
    if (!result.ok) throw refusalError(taskId, result.refusal);
    return result.events;
  }

  /** Reads a task, applies a rule, and commits the outcome; again if the task changed meanwhile. */
  async #change(
    taskId: string,
    rule: (record: TaskRecord, nowMs: number) => Change,
  ): Promise<Task> {
    for (;;) {
      const head = await this.#context.store.getTask(taskId);
      if (head === undefined) throw taskNotFound(taskId);
      const { version, incarnation, task: { status: from } } = head.record;
      const nowMs = this.#context.clock.now();
      const { record, events } = rule(head.record, nowMs);
      const result = await this.#commit(
        taskId,
        { version, incarnation },
        nowMs,
        events.map(serverDraft),
        record,
      );
      if (result.ok) {
        this.#tellTransition(record.task, from);
        return record.task;
      }
      // Somebody else's change came first, so each round means that some change succeeded.
      if (result.refusal.code !== "CONFLICT") throw refusalError(taskId, result.refusal);
    }
  }

  async #commit(
    taskId: string,
    expect: Commit["expect"],
    nowMs: number,
    events: readonly EventDraft[],
    record?: TaskRecord,
  ): Promise<CommitResult> {
    const { maxEventsPerTask: maxEvents, maxBytesPerTask: maxBytes } = this.limits;
    const due = record === undefined ? undefined : dueTimes(record);
    const result = await this.#context.store.commit({
      taskId,
      expect,
      nowMs,
      events,
      record,
      due,
      maxEvents,
      maxBytes,
    });
    if (!result.ok) return result;
    for (const atMs of Object.values(due ?? {})) this.#scheduler.expect(atMs);
    const { from, length } = result;
    const ended = record !== undefined && isTerminal(record.task.status);
    this.#counts.commits++;
    this.#counts.eventsStored += length - from;
    if (expect === "absent") this.#counts.tasksCreated++;
    if (ended) this.#counts.tasksEnded++;
    if (from < length) {
      await this.#announce({ taskId, from, length, ...(ended ? { ended } : {}) });
    }
    return result;
  }

  // What is stored is stored: a wake-up that fails costs readers a poll, not the caller an error.
  async #announce(signal: Signal): Promise<void> {
    try {
      await this.#context.broadcast.publish(signal);
    } catch (error) {
      this.reportError(error, { operation: "broadcast", taskId: signal.taskId });
    }
  }

  /** Does due work. Harmless when it was done already: the task is then not due any more. */
  async #settle(kind: DueKind, taskId: string): Promise<void> {
    const rules: Record<DueKind, (record: TaskRecord, nowMs: number) => Change | undefined> = {
      deadline: (record, nowMs) =>
        record.deadlineAt !== undefined && record.deadlineAt <= nowMs
          ? applyTransition(record, "timeout", {
            error: { code: "TTL_EXPIRED", message: `The task's ttl ran out` },
          }, nowMs)
          : undefined,
      wake: (record, nowMs) =>
        record.task.resumeAt !== undefined && record.task.resumeAt <= nowMs
          ? applyTransition(record, "running", {}, nowMs)
          : undefined,
    };
    try {
      await this.#change(taskId, (record, nowMs) => {
        const change = rules[kind](record, nowMs);
        if (change === undefined) throw new NotDue();
        return change;
      });
    } catch (error) {
      if (error instanceof NotDue) return;
      if (error instanceof TaskcastError && error.code === "TASK_NOT_FOUND") return;
      throw error;
    }
  }

  #tellTransition(task: Task, from: TaskStatus): void {
    this.#hook("onTaskTransitioned", task, from);
    if (task.status === "failed") this.#hook("onTaskFailed", task, task.error);
    if (task.status === "timeout") this.#hook("onTaskTimeout", task);
  }

  #hook<Name extends Exclude<keyof TaskcastHooks, "onUnhandledError">>(
    name: Name,
    ...args: Parameters<NonNullable<TaskcastHooks[Name]>>
  ): void {
    const hook = this.#hooks[name] as ((...args: unknown[]) => unknown) | undefined;
    if (hook === undefined) return;
    const taskId = args[0].id;
    const failed = (error: unknown) =>
      this.reportError(error, { operation: `hook ${name}`, taskId });
    try {
      // A copy: what a hook does to the task must not reach the caller.
      Promise.resolve(hook.call(this.#hooks, ...structuredClone(args))).catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  #open<Chunk>(
    ended: boolean,
    start: (control: StreamControl) => AsyncGenerator<Chunk, void>,
  ): TaskStream<Chunk> {
    const control = new StreamControl();
    const chunks = tracked(this.#streams, control, start(control));
    return { ended, chunks, close: () => control.close() };
  }

  #assertOpen(): void {
    if (this.#closing.signal.aborted) throw engineClosed();
  }
}

/** The task is not due (any more). */
class NotDue extends Error {}

function engineClosed(): TaskcastError {
  return new TaskcastError("ENGINE_CLOSED", "The engine is closed; try again on another instance");
}

const INCARNATION_ALPHABET = "0123456789abcdefghijklmnopqrstuv";

/** Eight random characters: 40 bits. */
function newIncarnation(): string {
  return Array.from(
    crypto.getRandomValues(new Uint8Array(8)),
    (byte) => INCARNATION_ALPHABET[byte % 32],
  ).join("");
}

/** Runs a stream; while it runs, closing the engine ends it. */
async function* tracked<Chunk>(
  streams: Set<StreamControl>,
  control: StreamControl,
  chunks: AsyncGenerator<Chunk, void>,
): AsyncGenerator<Chunk, void> {
  streams.add(control);
  try {
    yield* chunks;
  } finally {
    streams.delete(control);
  }
}

/** Turns a stream of batches into a web stream of messages that is read only as it is pulled. */
function readable<Item>(
  open: () => Promise<TaskStream<Item[]>>,
  signal?: AbortSignal,
): ReadableStream<Item> {
  let stream: TaskStream<Item[]> | undefined;
  const onAbort = () => stream?.close();
  return new ReadableStream<Item>({
    async pull(controller) {
      if (stream === undefined) {
        signal?.throwIfAborted();
        stream = await open();
        signal?.addEventListener("abort", onAbort, { once: true });
      }
      const { value, done } = stream.ended ? { done: true } as const : await stream.chunks.next();
      if (value !== undefined) { for (const item of value) controller.enqueue(item); }
      if (done) {
        signal?.removeEventListener("abort", onAbort);
        controller.close();
      }
    },
    async cancel() {
      signal?.removeEventListener("abort", onAbort);
      stream?.close();
      await stream?.chunks.return();
    },
  }, { highWaterMark: 0 });
}
