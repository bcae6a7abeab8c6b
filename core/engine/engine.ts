import type { ErrorContext } from "../contracts/hooks.ts";
import type { EngineObserver } from "../contracts/observer.ts";
import type { StoredEvent } from "../contracts/records.ts";
import type { ScheduledTask } from "../contracts/work_queue.ts";
import { TaskcastError } from "../protocol/errors.ts";
import type { EventInput, TaskEvent } from "../protocol/event.ts";
import type { CancelRequest, TaskCancel } from "../protocol/cancel.ts";
import type { Limits } from "../protocol/limits.ts";
import { BOUNDS } from "../protocol/limits.ts";
import type {
  BlockedRequest,
  CreateTaskInput,
  Deletion,
  LeasedTask,
  RenewedLease,
  TakeLeaseRequest,
  Task,
  TaskDetail,
  TransitionOptions,
} from "../protocol/task.ts";
import type { TaskStatus } from "../protocol/status.ts";
import { assertTaskId } from "../protocol/task_id.ts";
import type { WebhookStatus } from "../protocol/webhook.ts";
import { toTaskEvent } from "../domain/event_json.ts";
import { applyLeasedTransition, applyLeaseGrant } from "../domain/transitions/leased_transition.ts";
import { applyResolution } from "../domain/transitions/transition.ts";
import { text } from "../domain/validate/checks.ts";
import { assertJson } from "../domain/validate/json.ts";
import { assertCount, assertOptions } from "../domain/validate/query.ts";
import {
  assertCreateTask,
  assertTakeLease,
  assertTransition,
  incarnationOf,
  writeExpectationOf,
} from "../domain/validate/task.ts";
import type { SetAsideReport } from "../background/set_aside.ts";
import { assertDeliverable } from "../background/webhooks/accept.ts";
import { retryWebhook, webhookStatuses } from "../background/webhooks/status.ts";
import type { EngineContext } from "../context/context.ts";
import { draftOf, draftsOf } from "../context/drafts.ts";
import { newLeaseSecret } from "../context/incarnation.ts";
import { taskNotFound, taskReplaced } from "../context/refusals.ts";
import type { FrameEncoder } from "../streams/frames.ts";
import type { StreamMessage } from "../streams/object_encoder.ts";
import { objectEncoder } from "../streams/object_encoder.ts";
import { readable } from "../streams/readable.ts";
import type { TaskStream } from "../streams/task_stream.ts";
import {
  assertCancelRequest,
  assertCreateOptions,
  assertEngineParts,
  assertHeldLeases,
  assertObserver,
  assertScheduledTask,
} from "./assert_arguments.ts";
import { BackgroundJobs } from "./background_jobs.ts";
import type { DependencyState } from "./check.ts";
import { HealthChecks } from "./check.ts";
import { createContext } from "./create_context.ts";
import type { DisplacedExport, DisplacedPlace, DisplacedTask } from "./calls/displaced_tasks.ts";
import { deleteDisplaced, exportDisplaced, listDisplaced } from "./calls/displaced_tasks.ts";
import { doDueWork } from "./due_work.ts";
import type { Ending, EndWatch } from "./calls/end_watch.ts";
import type { HistoryPage } from "./calls/history.ts";
import { readHistory } from "./calls/history.ts";
import { HookCaller } from "./hook_caller.ts";
import { cancelTask, confirmTaskCancel } from "./calls/cancel.ts";
import type { HeldLease } from "./calls/leases.ts";
import { leasesOf, renewLeases } from "./calls/leases.ts";
import type { ListTasksQuery, TaskPage } from "./calls/list_tasks.ts";
import { listTasks } from "./calls/list_tasks.ts";
import type {
  EngineStats,
  HistoryOptions,
  IncarnationOptions,
  SubscribeAllOptions,
  SubscribeOptions,
  TaskEngineOptions,
  WriteOptions,
} from "./options.ts";
import { Subscriptions } from "./subscriptions.ts";
import type { Created, CreateOptions, WriteExpectation } from "./writer.ts";
import { grantedLease, Writer } from "./writer.ts";

/**
 * Tasks, their logs and their readers: everything that a server does, as a library.
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
  readonly #writer: Writer;
  readonly #subscriptions: Subscriptions;
  readonly #jobs: BackgroundJobs;
  readonly #hooks: HookCaller;
  readonly #health: HealthChecks;
  readonly #closing = new AbortController();

  /**
   * Starts the engine, which checks for due work right away. Nothing else runs until it is used.
   *
   * @throws {TypeError} If an adapter is missing, or lacks a method of its contract.
   * @throws {TaskcastError} `INVALID_INPUT` for invalid clean-up rules, limits or options.
   */
  constructor(options: TaskEngineOptions) {
    assertEngineParts(options);
    this.#hooks = new HookCaller(options.hooks);
    this.#context = createContext(options, (error, context) => this.#hooks.report(error, context));
    this.#subscriptions = new Subscriptions(this.#context);
    this.#health = new HealthChecks(this.#context);
    this.#jobs = new BackgroundJobs(this.#context, this.#hooks, {
      webhooks: options.webhooks,
      onDue: (found) => doDueWork(this.#context, this.#writer, found),
    });
    this.#writer = new Writer(this.#context, this.#hooks, this.#jobs);
    this.#jobs.start();
  }

  /** Counters since the engine started, and current gauges. */
  get stats(): EngineStats {
    return { ...this.#writer.counts, ...this.#jobs.stats, ...this.#subscriptions.stats };
  }

  /** The limits in force. */
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
   * @param options.traceparent The W3C `traceparent` of the request. It is kept with the task and sent to
   * its webhooks; an invalid one is ignored.
   * @param options.ifExists With `"return"`, a task that has the id already is returned. Needs an id.
   * @param options.idempotency Makes the call safe to repeat, as long as the task exists. Needs no id.
   * @throws {TaskcastError} `INVALID_INPUT`, `PAYLOAD_TOO_LARGE`, `NOT_SUPPORTED`, `TASK_EXISTS`,
   * `IDEMPOTENCY_CONFLICT`, `STORE_FULL`, `STORE_UNAVAILABLE`.
   */
  async createTask(
    input: CreateTaskInput = {},
    options: CreateOptions = {},
  ): Promise<LeasedTask> {
    return (await this.openTask(input, options)).task;
  }

  /** {@linkcode createTask} for servers: also returns whether an earlier call had created the task. */
  async openTask(input: CreateTaskInput = {}, options: CreateOptions = {}): Promise<Created> {
    this.#assertOpen();
    assertCreateTask(input, this.limits);
    assertCreateOptions(options, input);
    if (input.lease !== undefined) leasesOf(this.#context);
    const { deliverer } = this.#jobs;
    if (input.webhooks !== undefined) assertDeliverable(input.webhooks, deliverer?.sender);
    return await this.#writer.create(input, options);
  }

  /** Returns a task and the state of its log, or `undefined` if it does not exist. */
  async getTask(taskId: string): Promise<TaskDetail | undefined> {
    return (await this.readTask(taskId))?.task;
  }

  /** {@linkcode getTask} for servers: also returns the incarnation, to which further calls can refer. */
  async readTask(
    taskId: string,
  ): Promise<{ task: TaskDetail; incarnation: string } | undefined> {
    assertTaskId(taskId);
    const head = await this.#context.reader.getTask(taskId);
    if (head === undefined) return undefined;
    const { record: { task, incarnation }, length } = head;
    const subscriberCount = this.#subscriptions.readersOf(taskId);
    return { task: { ...task, lastIndex: length - 1, subscriberCount }, incarnation };
  }

  /** Lists tasks, newest first, a page at a time. */
  async listTasks(query: ListTasksQuery = {}): Promise<TaskPage> {
    return await listTasks(this.#context.reader, query);
  }

  /**
   * Moves a task to another status. If several calls would end it, exactly one succeeds.
   *
   * @throws {TaskcastError} `TASK_NOT_FOUND`, `INVALID_TRANSITION`, `INVALID_INPUT`,
   * `PAYLOAD_TOO_LARGE`, `STORE_UNAVAILABLE`.
   */
  async transitionTask(
    taskId: string,
    status: TaskStatus,
    transition: TransitionOptions = {},
    options?: WriteOptions,
  ): Promise<LeasedTask> {
    const { incarnation, lease: token } = this.#assertWrite(taskId, options);
    assertTransition(status, transition, this.limits);
    if (transition.lease !== undefined) leasesOf(this.#context);
    const lease = { token, secret: newLeaseSecret() };
    const change = await this.#writer.change(
      taskId,
      (record, nowMs) => applyLeasedTransition(record, status, transition, lease, nowMs),
      { incarnation },
    );
    const { task } = change.record;
    return transition.lease === undefined ? task : { ...task, ...grantedLease(change) };
  }

  /**
   * Grants a lease on a task whose status stays, e.g. because the answer that granted one was lost.
   *
   * @throws {TaskcastError} `TASK_NOT_FOUND`, `TASK_TERMINAL`, `INVALID_INPUT`, `NOT_SUPPORTED`; `LEASE_HELD` if
   * the task has a lease and the request does not take it.
   */
  async takeLease(
    taskId: string,
    request: TakeLeaseRequest,
    options?: IncarnationOptions,
  ): Promise<LeasedTask> {
    const { incarnation } = this.#assertWrite(taskId, options);
    assertTakeLease(request);
    leasesOf(this.#context);
    const secret = newLeaseSecret();
    const change = await this.#writer.change(
      taskId,
      (record, nowMs) => applyLeaseGrant(record, request, secret, nowMs),
      { incarnation },
    );
    return { ...change.record.task, ...grantedLease(change) };
  }

  /**
   * Renews leases: says that their holders are alive. Version and log stay as they are.
   *
   * @param held At most 1,000 leases.
   * @returns The state of each lease, in order. Whoever does not hold a lease any more must stop its work.
   * @throws {TaskcastError} `INVALID_INPUT`, `NOT_SUPPORTED`, `STORE_UNAVAILABLE`.
   */
  async renewLeases(held: readonly HeldLease[]): Promise<RenewedLease[]> {
    this.#assertOpen();
    assertHeldLeases(held);
    return await renewLeases(this.#context, held);
  }

  /**
   * Requests that a task is stopped. The producer has `graceMs` to end the task itself, with its last
   * results; after that the task is cancelled. A task that nobody works on is cancelled at once.
   *
   * @returns The task, with the request in `cancel`. If it was requested before, the first request stands.
   * @throws {TaskcastError} `TASK_NOT_FOUND`, `TASK_TERMINAL` if the task ended otherwise, `INVALID_INPUT`,
   * `STORE_UNAVAILABLE`.
   */
  async cancelTask(
    taskId: string,
    request: CancelRequest = {},
    options?: IncarnationOptions,
  ): Promise<Task> {
    const expected = this.#assertWrite(taskId, options);
    assertCancelRequest(request);
    return await cancelTask(this.#context, this.#writer, taskId, request, expected);
  }

  /**
   * Confirms that the producer saw the request to cancel.
   *
   * @param options.lease Required if the task has a lease.
   * @throws {TaskcastError} `TASK_NOT_FOUND`, `TASK_TERMINAL`, `LEASE_LOST`; `INVALID_TRANSITION` if nobody
   * asked to cancel the task.
   */
  async confirmCancel(taskId: string, options?: WriteOptions): Promise<Task> {
    return await confirmTaskCancel(this.#writer, taskId, this.#assertWrite(taskId, options));
  }

  /**
   * Calls `onCancel` once when somebody asks to cancel a task, so that its producer can stop.
   *
   * @returns A function that stops watching. The watch also stops when the task ends.
   */
  async watchCancel(
    taskId: string,
    onCancel: (cancel: TaskCancel) => void,
    options?: IncarnationOptions,
  ): Promise<() => void> {
    return await this.#subscriptions.watchCancel(taskId, onCancel, options);
  }

  /**
   * Renews one lease. See {@linkcode renewLeases}.
   *
   * @throws {TaskcastError} Also `TASK_NOT_FOUND` if the task is not in the given incarnation.
   */
  async heartbeat(
    taskId: string,
    lease: string,
    options?: IncarnationOptions,
  ): Promise<RenewedLease> {
    const incarnation = incarnationOf(options);
    const [renewed] = await this.renewLeases([{ taskId, lease, incarnation }]);
    if (renewed!.state === "deleted" && incarnation !== undefined) throw taskReplaced(taskId);
    return renewed!;
  }

  /**
   * Answers the request that a blocked task waits for, and resumes the task.
   *
   * @param resolution Any JSON value.
   * @throws {TaskcastError} `TASK_NOT_FOUND`, `INVALID_TRANSITION`, `INVALID_INPUT`.
   */
  async resolve(taskId: string, resolution: unknown, options?: IncarnationOptions): Promise<Task> {
    const { incarnation } = this.#assertWrite(taskId, options);
    assertJson(resolution, "data", this.limits);
    const { record } = await this.#writer.change(
      taskId,
      (record, nowMs) => applyResolution(record, resolution, nowMs),
      { incarnation },
    );
    return record.task;
  }

  /** Returns the request that a blocked task waits for, or `undefined` if it waits for none. */
  async getRequest(taskId: string): Promise<BlockedRequest | undefined> {
    const task = await this.getTask(taskId);
    if (task === undefined) throw taskNotFound(taskId);
    return task.blockedRequest;
  }

  /**
   * Deletes a task with its log, and notifies its readers.
   *
   * @returns `pending` while the archive cannot be reached. The task is then gone for everyone and its id
   * is reserved; the archive's copy is deleted as soon as possible.
   * @throws {TaskcastError} `TASK_NOT_FOUND`, `STORE_UNAVAILABLE`.
   */
  async deleteTask(taskId: string, options?: IncarnationOptions): Promise<Deletion> {
    const { incarnation } = this.#assertWrite(taskId, options);
    return await this.#writer.delete(taskId, incarnation);
  }

  /**
   * Appends an event to a task's log. If it throws, nothing has been stored.
   *
   * @throws {TaskcastError} `TASK_NOT_FOUND`, `TASK_TERMINAL`, `INVALID_INPUT`, `SERIES_CONFLICT`,
   * `SEQUENCE_GAP`, `PRODUCER_FENCED`, `PAYLOAD_TOO_LARGE`, `TASK_FULL`, `STORE_FULL`,
   * `STORE_UNAVAILABLE`.
   */
  async publishEvent(
    taskId: string,
    event: EventInput,
    options?: WriteOptions,
  ): Promise<TaskEvent> {
    return toTaskEvent(taskId, await this.appendEvent(taskId, event, options));
  }

  /** {@linkcode publishEvent} for servers: the data of the returned event is JSON text. */
  async appendEvent(
    taskId: string,
    event: EventInput,
    options?: WriteOptions,
  ): Promise<StoredEvent> {
    const expected = this.#assertWrite(taskId, options);
    const drafts = [draftOf(event, "", this.limits)];
    const stored = await this.#writer.append(taskId, drafts, expected);
    return stored[0]!;
  }

  /** Appends several events atomically, all of them or none. See {@linkcode publishEvent}. */
  async publishEvents(
    taskId: string,
    events: readonly EventInput[],
    options?: WriteOptions,
  ): Promise<TaskEvent[]> {
    const stored = await this.appendEvents(taskId, events, options);
    return stored.map((event) => toTaskEvent(taskId, event));
  }

  /** {@linkcode publishEvents} for servers: the data of the returned events is JSON text. */
  async appendEvents(
    taskId: string,
    events: readonly EventInput[],
    options?: WriteOptions,
  ): Promise<StoredEvent[]> {
    const expected = this.#assertWrite(taskId, options);
    return await this.#writer.append(taskId, draftsOf(events, this.limits), expected);
  }

  /**
   * Returns a part of a task's history, in order. Continue with `since: { id: nextCursor }`.
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

  /** {@linkcode getEvents} for servers: the data of the returned events is JSON text. */
  async readEvents(taskId: string, options: HistoryOptions = {}): Promise<HistoryPage> {
    return await readHistory(this.#context, taskId, options);
  }

  /**
   * Subscribes to a task: replays its log, then follows it live to its end.
   *
   * The task is read only as fast as the stream is. Leaving the loop, cancelling the stream or aborting
   * the signal ends the subscription and does not affect the task.
   *
   * @throws {TaskcastError} At the first read: `TASK_NOT_FOUND`, `INVALID_CURSOR`, `INVALID_INPUT`.
   */
  subscribe(taskId: string, options: SubscribeOptions = {}): ReadableStream<StreamMessage> {
    return readable(() => this.openStream(taskId, options, objectEncoder), options?.signal);
  }

  /** Subscribes to all tasks, including those created later. It is live from now on; nothing is replayed. */
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
    return await this.#subscriptions.open(taskId, options, encoder);
  }

  /** {@linkcode subscribeAll} for servers, in chunks of any kind. */
  async openStreamOfAll<Chunk>(
    options: Omit<SubscribeAllOptions, "signal">,
    encoder: FrameEncoder<Chunk>,
  ): Promise<TaskStream<Chunk>> {
    this.#assertOpen();
    return await Promise.resolve(this.#subscriptions.openAll(options, encoder));
  }

  /**
   * Calls `onEnd` once when a task ends or is deleted, so that a producer can stop.
   *
   * @returns A function that stops watching.
   */
  async watchEnd(
    taskId: string,
    onEnd: (ending: Ending) => void,
    options?: IncarnationOptions,
  ): Promise<() => void> {
    return await this.#subscriptions.watchEnd(taskId, onEnd, options);
  }

  /**
   * {@linkcode watchEnd} for servers: also returns the incarnation that it watches, to which further calls
   * can refer.
   *
   * @throws {TaskcastError} `TASK_NOT_FOUND`, `STORE_UNAVAILABLE`. Nothing is watched then.
   */
  async openEndWatch(
    taskId: string,
    onEnd: (ending: Ending) => void,
    options?: IncarnationOptions,
  ): Promise<EndWatch> {
    return await this.#subscriptions.openEndWatch(taskId, onEnd, options);
  }

  /**
   * Checks each dependency. Answers within half a second: if a check takes longer, it returns the previous
   * result if that is at most 15 seconds old, and the check continues for later callers.
   *
   * @param options.patienceMs Milliseconds to wait for a check. @default 400
   * @returns The state of each dependency by name.
   */
  async check(
    { patienceMs }: { patienceMs?: number } = {},
  ): Promise<Record<string, DependencyState>> {
    return await this.#health.states({ patienceMs, lagMs: this.#jobs.archiver?.lagMs });
  }

  /**
   * Does all due work now: time-outs, wake-ups, archiving, webhooks, clean-up. The engine usually does that
   * by itself.
   */
  async sweep(): Promise<void> {
    await this.#jobs.sweep();
  }

  /**
   * Returns the delivery state of a task's webhooks: first those of the task, then those of the server.
   *
   * @throws {TaskcastError} `TASK_NOT_FOUND`, `STORE_UNAVAILABLE`.
   */
  async getWebhooks(taskId: string, options?: IncarnationOptions): Promise<WebhookStatus[]> {
    assertTaskId(taskId);
    const { deliverer } = this.#jobs;
    return await webhookStatuses(this.#context, deliverer, taskId, incarnationOf(options));
  }

  /**
   * Retries the failed deliveries of a webhook before any others.
   *
   * @param hook The name of the webhook; see {@linkcode WebhookStatus}.
   * @returns The number of deliveries to retry.
   * @throws {TaskcastError} `TASK_NOT_FOUND`, `WEBHOOK_NOT_FOUND`, `STORE_UNAVAILABLE`.
   */
  async retryWebhook(taskId: string, hook: string, options?: IncarnationOptions): Promise<number> {
    const { incarnation } = this.#assertWrite(taskId, options);
    text(hook, "hook");
    return await retryWebhook(this.#context, this.#jobs.deliverer, taskId, hook, incarnation);
  }

  /**
   * Lists tasks with failed deliveries, oldest failure first.
   *
   * @param options.after The last task of the previous page.
   * @param options.limit 1 to 500. @default 50
   */
  async listUndelivered(
    options: { limit?: number; after?: ScheduledTask } = {},
  ): Promise<ScheduledTask[]> {
    assertOptions(options);
    const { limit = 50, after } = options;
    assertCount(limit, "limit", 1, BOUNDS.listPage);
    if (after !== undefined) assertScheduledTask(after, "after");
    return await this.#context.store.scheduled("undelivered", { limit, after });
  }

  /**
   * Ends all streams, so that their readers can reconnect to another instance, and stops all timers.
   * Stores and the broadcast provider belong to the host and stay open. Safe to call twice.
   */
  async close(): Promise<void> {
    if (!this.#closing.signal.aborted) {
      this.#closing.abort(engineClosed());
      this.#subscriptions.close();
    }
    await this.#jobs.close();
  }

  /** {@linkcode close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * Notifies an observer of the engine's work from now on.
   *
   * @returns A function that removes the observer.
   */
  observe(observer: EngineObserver): () => void {
    assertObserver(observer);
    return this.#context.observers.add(observer);
  }

  /**
   * Reports, by queue, the tasks whose work fails while that of others succeeds: their number, and those
   * that have waited longest. This instance retries them at increasing intervals.
   *
   * @param options.limit Maximum number of tasks for each queue. @default 20
   */
  setAside(options: { limit?: number } = {}): SetAsideReport {
    return this.#jobs.setAside(options);
  }

  /**
   * Lists displaced tasks, newest first: tasks that the archive keeps although newer ones have their ids.
   * That happens if a task is created with an id of the caller's while the archive cannot be asked
   * whether the id is new.
   *
   * @param options.after The last task of the previous page.
   * @param options.limit 1 to 500. @default 50
   * @throws {TaskcastError} `STORE_UNAVAILABLE`.
   */
  async listDisplaced(
    options: { limit?: number; after?: DisplacedPlace } = {},
  ): Promise<DisplacedTask[]> {
    return await listDisplaced(this.#context, options);
  }

  /**
   * Returns a displaced task with its log.
   *
   * @throws {TaskcastError} `TASK_NOT_FOUND`, `STORE_UNAVAILABLE`.
   */
  async exportDisplaced(taskId: string, incarnation: string): Promise<DisplacedExport> {
    return await exportDisplaced(this.#context, taskId, incarnation);
  }

  /**
   * Deletes a displaced task permanently.
   *
   * @throws {TaskcastError} `TASK_NOT_FOUND`, `STORE_UNAVAILABLE`.
   */
  async deleteDisplaced(taskId: string, incarnation: string): Promise<void> {
    this.#assertOpen();
    await deleteDisplaced(this.#context, taskId, incarnation);
  }

  /** Counts the tasks that wait for the archive, up to `limit`; `undefined` without an archive. */
  async archiveBacklog(options: { limit?: number } = {}): Promise<number | undefined> {
    return await this.#jobs.archiveBacklog(options);
  }

  /** Reports an error that no caller receives to the host's `onUnhandledError` hook. Never throws. */
  reportError(error: unknown, context: ErrorContext): void {
    this.#hooks.report(error, context);
  }

  /** Requires an open engine and valid arguments. Returns what the call requires of the task. */
  #assertWrite(taskId: string, options: WriteOptions | undefined): WriteExpectation {
    this.#assertOpen();
    assertTaskId(taskId);
    const expected = writeExpectationOf(options);
    if (expected.lease !== undefined) leasesOf(this.#context);
    return expected;
  }

  #assertOpen(): void {
    if (this.#closing.signal.aborted) throw engineClosed();
  }
}

function engineClosed(): TaskcastError {
  return new TaskcastError("ENGINE_CLOSED", "The engine is closed; try again on another instance");
}
