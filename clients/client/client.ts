import type {
  CancelRequest,
  DoneReason,
  EventEnvelope,
  Task,
  TaskDetail,
  TaskEvent,
} from "@taskcast/core/protocol";
import type { EventFilter, SeriesFormat, Since } from "@taskcast/core/protocol";
import { taskPath } from "@taskcast/core/protocol";
import type { HttpOptions } from "./http.ts";
import { getTask } from "./get_task.ts";
import { HttpClient, nextPage } from "./http.ts";
import { eventsParameters } from "./query.ts";
import type { ConnectionOptions } from "./connection/connection_options.ts";
import { withDefaults } from "./connection/connection_options.ts";
import type { Follow } from "./follow.ts";
import { followBy } from "./follow.ts";
import { sharedFollow } from "./shared/mod.ts";
import { whileShown } from "./while_shown.ts";
import type { StreamOptions } from "./task_stream.ts";
import { TaskStream } from "./task_stream.ts";
import type { TransportOptions } from "./transport.ts";
import { chooseConnect } from "./transport.ts";

/** Options for {@linkcode TaskcastClient}. */
export interface TaskcastClientOptions extends HttpOptions, TransportOptions {
  /** Timeouts, buffers and reconnect delays. */
  connection?: ConnectionOptions;
  /**
   * Lets tabs of one origin share one connection if they follow the same task with the same filter
   * and for the same caller (the token's issuer and subject, or the token itself). Each tab has its
   * own connection where the browser lacks locks or channels. @default {false}
   *
   * @experimental Tabs with different versions may not share, and the option may change.
   */
  share?: boolean;
}

/** State of the stream, passed to `onEvent` with each event. */
export interface EventContext {
  /** Returns the whole text of an accumulate series, including this event. */
  text(seriesId: string): string;
  /** Returns the data of a series' newest event. */
  latest(seriesId: string): unknown;
  /** Cursor of the stream after this event. */
  cursor: string | undefined;
}

/** Details of an error of a subscription. */
export interface SubscriptionError {
  /** Set if the subscription has ended. Otherwise it reconnects by itself. */
  fatal: boolean;
  /** Milliseconds until the next attempt. */
  retryInMs?: number;
}

/** Options for {@linkcode TaskcastClient.subscribe}. */
export interface SubscribeOptions extends Omit<StreamOptions, "onReconnect"> {
  /** Called with each event. */
  onEvent?: (event: EventEnvelope, context: EventContext) => void;
  /** Called when the task has ended and every event was delivered. */
  onDone?: (reason: DoneReason) => void;
  /** Called with each error. @default `console.warn`, once, if the server cannot be reached */
  onError?: (error: unknown, info: SubscriptionError) => void;
}

/** Options for {@linkcode TaskcastClient.history}. */
export interface HistoryOptions {
  /** Only events that match. @default all */
  filter?: EventFilter;
  /** Position to begin at. @default the first event */
  since?: Since;
  /**
   * `accumulated` returns only the newest event of each series, with the whole text. @default
   * {"delta"}
   */
  seriesFormat?: SeriesFormat;
  /** Number of events fetched at a time. @default {1000} */
  pageSize?: number;
  /** Ends the iteration. */
  signal?: AbortSignal;
}

/**
 * Follows tasks from a browser, Deno or Node.
 *
 * @example Follow a task until it ends
 * ```ts
 * import { TaskcastClient } from "@taskcast/client";
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
 * const task = await engine.createTask();
 * await engine.publishEvent(task.id, {
 *   type: "llm.delta",
 *   data: { delta: "Hello" },
 *   seriesId: "answer",
 *   seriesMode: "accumulate",
 * });
 * await engine.transitionTask(task.id, "completed");
 *
 * const client = new TaskcastClient({
 *   baseUrl: "http://localhost:3721",
 *   fetch: async (input, init) => await app.fetch(new Request(input, init)), // No network here.
 * });
 * let answer = "";
 * await client.subscribe(task.id, {
 *   onEvent: (_event, { text }) => answer = text("answer"),
 *   onDone: (reason) => assert.equal(reason, "completed"),
 * });
 * assert.equal(answer, "Hello");
 * await engine.close();
 * ```
 */
export class TaskcastClient {
  readonly #http: HttpClient;
  readonly #follow: Follow;

  /**
   * Creates a client of one server. It connects when it is first used.
   *
   * @throws {TypeError} If `baseUrl` is not a URL, if the token or a header cannot be sent, or if
   * the transport does not exist.
   * @throws {RangeError} If a value of `connection` is below 1.
   */
  constructor(options: TaskcastClientOptions) {
    this.#http = new HttpClient(options);
    const connection = withDefaults(options.connection);
    const follow = followBy(chooseConnect(this.#http, options, connection), connection);
    this.#follow = whileShown(
      options.share ? sharedFollow(this.#http, follow, connection) : follow,
    );
  }

  /**
   * Follows a task and reconnects by itself. Resolves when the task has ended or the signal aborts.
   *
   * The subscription also ends when the server refuses it for good, or when a callback throws. The
   * error is passed to `onError`. Without `onError` the promise rejects; with it, the promise need
   * not be awaited.
   *
   * @throws {TaskcastHttpError} If there is no `onError`.
   */
  async subscribe(taskId: string, options: SubscribeOptions = {}): Promise<void> {
    const { onEvent, onDone, onError, ...rest } = options;
    const stream = this.stream(taskId, {
      ...rest,
      onReconnect: onError && ((error, retryInMs) => onError(error, { fatal: false, retryInMs })),
    });
    const context: EventContext = {
      text: (seriesId) => stream.text(seriesId),
      latest: (seriesId) => stream.latest(seriesId),
      get cursor() {
        return stream.cursor;
      },
    };
    try {
      for await (const event of stream) onEvent?.(event, context);
      if (stream.reason !== undefined) onDone?.(stream.reason);
    } catch (error) {
      if (onError === undefined) throw error;
      onError(error, { fatal: true });
    }
  }

  /**
   * Returns the task's events as an async iterable with back-pressure. See {@linkcode TaskStream}.
   */
  stream(taskId: string, options: StreamOptions = {}): TaskStream {
    return new TaskStream(this.#http, taskId, options, this.#follow);
  }

  /**
   * Reads a task and the position of its log.
   *
   * @throws {TaskcastHttpError} E.g. `TASK_NOT_FOUND`.
   */
  async getTask(taskId: string): Promise<TaskDetail> {
    return await getTask(this.#http, taskId);
  }

  /**
   * Asks a task to stop; needs the scope `task:cancel`. Its producer has `graceMs` (5,000) to end it, and
   * is overruled after that. Repeating the request is safe.
   *
   * @returns The task, with the request in `cancel`.
   * @throws {TaskcastHttpError} 409 if the task ended otherwise.
   */
  async cancel(
    taskId: string,
    request: Pick<CancelRequest, "reason" | "graceMs"> = {},
  ): Promise<Task> {
    return await this.#http.json("POST", this.#http.url(`${taskPath(taskId)}/cancel`), request, {
      isOurs: ({ id }) => id === taskId,
    });
  }

  /** Reads a task's stored events, fetching pages as needed. */
  async *history(taskId: string, options: HistoryOptions = {}): AsyncGenerator<TaskEvent, void> {
    const { pageSize: limit, signal, ...query } = options;
    const path = `${taskPath(taskId)}/events/history`;
    let url: string | undefined = this.#http.url(path, eventsParameters({ ...query, limit }));
    while (url !== undefined) {
      const response = await this.#http.request(url, { signal });
      const events: TaskEvent[] = await this.#http.read(response, Array.isArray);
      yield* events;
      url = nextPage(response, url);
    }
  }
}
