import type { HttpOptions, IsOurs } from "@taskcast/client/http";
import {
  assertAdvances,
  assertPositive,
  eventsParameters,
  HttpClient,
  listParameter,
  nextPage,
  TaskcastHttpError,
} from "@taskcast/client/http";
import type {
  BlockedRequest,
  CancelRequest,
  CreateTaskInput,
  Deletion,
  EventFilter,
  EventInput,
  LeasedTask,
  RenewedLease,
  SeriesFormat,
  Since,
  TakeLeaseRequest,
  Task,
  TaskDetail,
  TaskEvent,
  TaskStatus,
  Ticket,
  TransitionOptions,
} from "@taskcast/core/protocol";
import { MAX_TIMER_MS, taskPath, ulid } from "@taskcast/core/protocol";
import {
  isBlockedRequest,
  isDeletion,
  isDetailOf,
  isEvents,
  isEventsOf,
  isTask,
  isTaskOf,
  isTaskPage,
  isTicket,
} from "./answer_shapes.ts";
import { ProducerSequences } from "./producer_sequences.ts";
import type { KeepLeaseOptions, LeaseCalls } from "./lease_keeper.ts";
import { LeaseKeeper } from "./lease_keeper.ts";
import type { PublisherOptions } from "./publisher.ts";
import { Publisher } from "./publisher.ts";
import type { Attempt, RetryOptions } from "./retrying.ts";
import { assertRetryOptions, retrying } from "./retrying.ts";

/** Options for {@linkcode TaskcastServerClient}. */
export interface TaskcastServerClientOptions extends HttpOptions {
  /** Key of a trusted service, instead of a token. */
  serviceKey?: string;
  /** How requests are retried. */
  retry?: RetryOptions;
  /** Timeout of one attempt in milliseconds; `Infinity` means none. @default {30000} */
  timeoutMs?: number;
}

/** Selection of tasks. */
export interface ListTasksQuery {
  /** Only tasks in one of these states. */
  status?: TaskStatus[];
  /** Only tasks of these types; `a.b.*` matches types that start with `a.b.`. */
  types?: string[];
  /** Only tasks with this tag. */
  tag?: string;
  /** Only tasks with this priority, from 0 to 9. */
  priority?: number;
  /** Number of tasks on a page, from 1 to 500. @default {50} */
  limit?: number;
  /** `nextCursor` of the previous page. */
  cursor?: string;
}

/** Identifies a lease. */
export interface HeldLease {
  /** The task. */
  taskId: string;
  /** The token. */
  lease: string;
}

/** A page of tasks, newest first. */
export interface TaskPage {
  /** The tasks. */
  tasks: Task[];
  /** Cursor of the next page; left out on the last one. */
  nextCursor?: string;
  /** Set if the server cannot reach its archive, so tasks that are only there are missing. */
  partial?: true;
}

/** Selection of a task's history. */
export interface HistoryQuery {
  /** Only events that match. */
  filter?: EventFilter;
  /** Position to begin at. @default the first event */
  since?: Since;
  /** `accumulated` returns only the newest event of each series, with the whole text. */
  seriesFormat?: SeriesFormat;
  /** Number of events on a page, from 1 to 10 000. @default {1000} */
  limit?: number;
}

/**
 * Creates tasks, publishes their events and ends them from a server. Calls are idempotent, and are
 * retried when the network or the server fails.
 *
 * @example A producer
 * ```ts
 * import { TaskcastServerClient } from "@taskcast/server-sdk";
 * import {
 *   createTaskcastApp,
 *   MemoryBroadcastProvider,
 *   MemoryShortTermStore,
 *   TaskEngine,
 * } from "@taskcast/taskcast";
 * import assert from "node:assert/strict";
 *
 * const engine = new TaskEngine({
 *   broadcast: new MemoryBroadcastProvider(),
 *   shortTermStore: new MemoryShortTermStore(),
 * });
 * const app = createTaskcastApp({ engine });
 * const taskcast = new TaskcastServerClient({
 *   baseUrl: "http://localhost:3721",
 *   fetch: async (input, init) => await app.fetch(new Request(input, init)), // No network here.
 * });
 *
 * const task = await taskcast.createTask({ type: "llm.chat" });
 * await taskcast.publishEvent(task.id, { type: "llm.delta", data: { text: "Hello!" } });
 * const ended = await taskcast.transitionTask(task.id, "completed", {
 *   result: { output: "Hello!" },
 * });
 * assert.deepEqual(ended.result, { output: "Hello!" });
 * await engine.close();
 * ```
 */
export class TaskcastServerClient {
  readonly #http: HttpClient;
  readonly #retry: RetryOptions;
  readonly #timeoutMs: number;
  readonly #sequences = new ProducerSequences();

  /**
   * Creates a client of one server. It connects when it is first used.
   *
   * @throws {TypeError} If `baseUrl` is not a URL, or if the token, the key or a header cannot be
   * sent.
   * @throws {RangeError} If the timeout, the attempts or a delay is below 1.
   */
  constructor(options: TaskcastServerClientOptions) {
    const { serviceKey, retry = {}, timeoutMs = 30_000, headers, ...http } = options;
    assertRetryOptions(retry);
    assertPositive({ timeoutMs });
    const all = { ...headers };
    if (serviceKey !== undefined) all["x-taskcast-service-key"] = serviceKey;
    this.#http = new HttpClient({ ...http, headers: all });
    this.#retry = retry;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Creates a task.
   *
   * @throws {TaskcastHttpError} E.g. `TASK_EXISTS` if the id is taken.
   */
  async createTask(input: CreateTaskInput = {}): Promise<LeasedTask> {
    // The id makes retries safe: a repeated request cannot create a second task.
    const body = { ...input, id: input.id ?? ulid(Date.now()) };
    return await this.#retrying(async ({ ambiguous }) => {
      try {
        // A redirect may have turned the POST into a GET, whose answer is a page of tasks. It is
        // accepted here for the better error below.
        const isOurs: IsOurs = (answer) => isTaskPage(answer) || isTask(answer);
        const task = await this.#json<Task>("POST", "/tasks", isOurs, body);
        if (task.id !== body.id) throw new Error(CREATED_NOTHING);
        return task;
      } catch (error) {
        // An earlier attempt created the task, although its answer was lost.
        if (!ambiguous || !isCode(error, "TASK_EXISTS")) throw error;
        return input.lease === undefined
          ? await this.getTask(body.id)
          : await this.#takeLease(body.id, { ...input.lease, take: true });
      }
    });
  }

  /** Reads a task and the position of its log. */
  async getTask(taskId: string): Promise<TaskDetail> {
    return await this.#retrying(() => this.#json("GET", taskPath(taskId), isDetailOf(taskId)));
  }

  /** Reads a page of tasks, newest first. */
  async listTasks({ status, types, ...query }: ListTasksQuery = {}): Promise<TaskPage> {
    const url = this.#http.url("/tasks", {
      ...query,
      status: listParameter("status", status),
      type: listParameter("types", types),
    });
    return await this.#retrying(() => this.#send("GET", url, isTaskPage));
  }

  /** Yields all tasks, fetching pages as needed. */
  async *tasks(query: ListTasksQuery = {}): AsyncGenerator<Task, void> {
    let cursor = query.cursor;
    do {
      const page = await this.listTasks({ ...query, cursor });
      yield* page.tasks;
      assertAdvances(cursor, page.nextCursor);
      cursor = page.nextCursor;
    } while (cursor !== undefined);
  }

  /** Publishes an event. */
  async publishEvent(taskId: string, event: EventInput): Promise<TaskEvent> {
    const [stored] = await this.publishEvents(taskId, [event]);
    return stored!;
  }

  /** Publishes events, all or none. Publishes to one task are sent in the order of calls. */
  async publishEvents(taskId: string, events: readonly EventInput[]): Promise<TaskEvent[]> {
    const path = `${taskPath(taskId)}/events`;
    const send = (body: readonly EventInput[]) =>
      this.#retrying(() => this.#json<TaskEvent[]>("POST", path, isEventsOf(body.length), body));
    // Every event needs a producer's number, its own or one from here: otherwise a retry would store
    // it twice.
    const unnumbered = events.filter(({ producerId }) => producerId === undefined).length;
    if (unnumbered === 0) return await send(events);
    return await this.#sequences.publish(taskId, unnumbered, ({ producerSeq, ...producer }) => {
      let next = producerSeq;
      return send(
        events.map((event) =>
          event.producerId === undefined ? { ...event, ...producer, producerSeq: next++ } : event
        ),
      );
    });
  }

  /** Opens a stream of events into a task; see {@linkcode Publisher}. */
  openPublisher(taskId: string, options: PublisherOptions = {}): Publisher {
    return new Publisher(this.#http, taskId, options, this.#retry);
  }

  /**
   * Changes the status of a task.
   *
   * @throws {TaskcastHttpError} `INVALID_TRANSITION` if another change came first.
   */
  async transitionTask(
    taskId: string,
    status: TaskStatus,
    options: TransitionOptions = {},
  ): Promise<LeasedTask> {
    return await this.#retrying(async ({ ambiguous }) => {
      try {
        const path = `${taskPath(taskId)}/status`;
        return await this.#json<Task>("PATCH", path, isTaskOf(taskId), { status, ...options });
      } catch (error) {
        if (!ambiguous || !isCode(error, "INVALID_TRANSITION")) throw error;
        // The change that came first may be an earlier attempt of this call. If the task has the
        // requested status and values, it is taken for that.
        const task = await this.getTask(taskId);
        const isOurs = task.status === status && isSame(task.result, options.result) &&
          isSame(task.error, options.error) && isSame(task.reason, options.reason);
        if (!isOurs) throw error;
        // The answer with the token of the lease was lost.
        return options.lease === undefined
          ? task
          : await this.#takeLease(taskId, { ...options.lease, take: true });
      }
    });
  }

  /**
   * Gets a lease on a task whose status stays.
   *
   * @throws {TaskcastHttpError} `LEASE_HELD` if the task has a lease and `take` is not set.
   */
  async takeLease(taskId: string, request: TakeLeaseRequest): Promise<LeasedTask> {
    return await this.#retrying(async ({ ambiguous }) =>
      // After a lost answer, the lease that the task has is probably from this call.
      await this.#takeLease(taskId, ambiguous ? { ...request, take: true } : request)
    );
  }

  /**
   * Renews leases, at most 1,000.
   *
   * @returns The state of each lease, in order.
   */
  async renewLeases(leases: readonly HeldLease[]): Promise<RenewedLease[]> {
    const isOurs: IsOurs = (answer) =>
      Array.isArray(answer.leases) && answer.leases.length === leases.length;
    const renewed = await this.#retrying(() =>
      this.#json<{ leases: RenewedLease[] }>("POST", "/leases", isOurs, { leases })
    );
    return renewed.leases;
  }

  /**
   * Renews a lease by itself until it is stopped, and tells its producer when to stop.
   *
   * @param task The task as {@linkcode transitionTask} or {@linkcode takeLease} returned it, with a lease.
   * @throws {TypeError} If the task was returned without a lease.
   *
   * @example
   * ```ts
   * import type { TaskcastServerClient } from "@taskcast/server-sdk";
   *
   * export async function work(taskcast: TaskcastServerClient, id: string): Promise<void> {
   *   const task = await taskcast.transitionTask(id, "running", { lease: { ms: 30_000 } });
   *   const keeper = taskcast.keepLease(task);
   *   const signal = AbortSignal.any([keeper.signal, keeper.cancelSignal]);
   *   await fetch("https://example.com/slow", { signal });
   *   await taskcast.transitionTask(id, "completed");
   *   keeper.stop();
   * }
   * ```
   */
  keepLease({ id, lease, leaseUntil }: LeasedTask, options: KeepLeaseOptions = {}): LeaseKeeper {
    if (lease === undefined || leaseUntil === undefined) {
      throw new TypeError(`Task "${id}" was returned without a lease; ask for one first`);
    }
    const everyMs = options.everyMs ?? Math.max(MIN_RENEWAL_MS, (leaseUntil - Date.now()) / 3);
    assertPositive({ everyMs });
    const calls: LeaseCalls = {
      // One attempt each time: the next one comes soon.
      renew: async () => {
        const isOurs: IsOurs = (answer) => Array.isArray(answer.leases);
        const body = { leases: [{ taskId: id, lease }] };
        const answer = await this.#json<{ leases: [RenewedLease] }>(
          "POST",
          "/leases",
          isOurs,
          body,
        );
        return answer.leases[0];
      },
      confirmCancel: async () => {
        const url = this.#http.url(`${taskPath(id)}/cancel/seen`);
        const headers = { "taskcast-lease": lease };
        const signal = this.#limit();
        await this.#http.request(url, { method: "POST", headers, signal });
      },
    };
    return new LeaseKeeper(id, calls, everyMs);
  }

  #takeLease(taskId: string, request: TakeLeaseRequest): Promise<LeasedTask> {
    return this.#json("POST", `${taskPath(taskId)}/lease`, isTaskOf(taskId), request);
  }

  /**
   * Asks a task to stop. Its producer has `graceMs` (5,000) to end it, and is overruled after that.
   *
   * @returns The task, with the request in `cancel`; the first request stands.
   * @throws {TaskcastHttpError} 409 if the task ended otherwise.
   */
  async cancelTask(
    taskId: string,
    request: Pick<CancelRequest, "reason" | "graceMs"> = {},
  ): Promise<Task> {
    return await this.#retrying(() =>
      this.#json<Task>("POST", `${taskPath(taskId)}/cancel`, isTaskOf(taskId), request)
    );
  }

  /** Answers the request of a blocked task, which then runs again. */
  async resolve(taskId: string, data: unknown): Promise<Task> {
    return await this.#retrying(async ({ ambiguous }) => {
      try {
        const path = `${taskPath(taskId)}/resolve`;
        return await this.#json<Task>("POST", path, isTaskOf(taskId), { data });
      } catch (error) {
        if (!ambiguous || !isCode(error, "INVALID_TRANSITION")) throw error;
        const task = await this.getTask(taskId);
        if (task.status === "running") return task;
        throw error;
      }
    });
  }

  /** Reads the request of a blocked task. */
  async getRequest(taskId: string): Promise<BlockedRequest> {
    const path = `${taskPath(taskId)}/request`;
    return await this.#retrying(() => this.#json("GET", path, isBlockedRequest));
  }

  /**
   * Deletes a task and all its data.
   *
   * @returns `pending` while the server cannot reach its archive; it completes the deletion by
   * itself.
   */
  async deleteTask(taskId: string): Promise<Deletion> {
    return await this.#retrying(async ({ ambiguous }) => {
      try {
        const url = this.#http.url(taskPath(taskId));
        const response = await this.#http.request(url, { method: "DELETE", signal: this.#limit() });
        const answer = await this.#http.read<{ deletion: Deletion } | undefined>(
          response,
          isDeletion,
        );
        if (answer === undefined) await this.#assertGone(taskId, response);
        return answer?.deletion ?? "deleted";
      } catch (error) {
        if (!(ambiguous && isCode(error, "TASK_NOT_FOUND"))) throw error;
        return "deleted";
      }
    });
  }

  /**
   * Checks that the task is gone after a 204 without a request id, which may come from a proxy.
   *
   * @throws {TaskcastHttpError} If the task still exists.
   */
  async #assertGone(taskId: string, response: Response): Promise<void> {
    if (response.headers.has("x-request-id")) return;
    try {
      await this.#json("GET", taskPath(taskId), isTaskOf(taskId));
    } catch (error) {
      // Deleted, or hidden from this caller.
      if (error instanceof TaskcastHttpError && !error.transient) return;
      throw error;
    }
    throw new TaskcastHttpError(response);
  }

  /** Creates a ticket with which a browser's EventSource can follow the task. */
  async createTicket(taskId: string, options: { expiresInMs?: number } = {}): Promise<Ticket> {
    const path = `${taskPath(taskId)}/tickets`;
    return await this.#retrying(() => this.#json("POST", path, isTicket, options));
  }

  /** Reads a page of a task's history. */
  async getHistory(
    taskId: string,
    query: HistoryQuery = {},
  ): Promise<{ events: TaskEvent[]; nextUrl?: string }> {
    const path = `${taskPath(taskId)}/events/history`;
    return await this.#historyPage(this.#http.url(path, eventsParameters(query)));
  }

  /** Yields a task's history, fetching pages as needed. */
  async *history(taskId: string, query: HistoryQuery = {}): AsyncGenerator<TaskEvent, void> {
    let page = await this.getHistory(taskId, query);
    for (;;) {
      yield* page.events;
      if (page.nextUrl === undefined) return;
      page = await this.#historyPage(page.nextUrl);
    }
  }

  async #historyPage(url: string): Promise<{ events: TaskEvent[]; nextUrl?: string }> {
    return await this.#retrying(async () => {
      const response = await this.#http.request(url, { signal: this.#limit() });
      const events = await this.#http.read<TaskEvent[]>(response, isEvents);
      return { events, nextUrl: nextPage(response, url) };
    });
  }

  #retrying<T>(send: (attempt: Attempt) => Promise<T>): Promise<T> {
    return retrying(this.#http, this.#retry, send);
  }

  #json<T>(method: string, path: string, isOurs: IsOurs, body?: unknown): Promise<T> {
    return this.#send(method, this.#http.url(path), isOurs, body);
  }

  async #send<T>(method: string, url: string, isOurs: IsOurs, body?: unknown): Promise<T> {
    return await this.#http.json<T>(method, url, body, { signal: this.#limit(), isOurs });
  }

  /**
   * Returns a signal that aborts an attempt after the timeout; `undefined` if the timeout exceeds
   * the maximum of a timer.
   */
  #limit(): AbortSignal | undefined {
    if (this.#timeoutMs > MAX_TIMER_MS) return undefined;
    return AbortSignal.timeout(Math.ceil(this.#timeoutMs));
  }
}

/** The clocks of client and server may differ, so the time that is left is not exact. */
const MIN_RENEWAL_MS = 1_000;

const CREATED_NOTHING = "The answer is not the created task. If the server " +
  "redirects, e.g. from http to https, set baseUrl to the target of the redirect";

function isCode(error: unknown, code: string): boolean {
  return error instanceof TaskcastHttpError && error.code === code;
}

function isSame(a: unknown, b: unknown): boolean {
  return b === undefined || JSON.stringify(a) === JSON.stringify(b);
}
