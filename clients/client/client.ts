import type { DoneReason, EventEnvelope, TaskDetail, TaskEvent } from "@taskcast/core/protocol";
import type { EventFilter, SeriesFormat, Since } from "@taskcast/core/protocol";
import { taskPath } from "@taskcast/core/protocol";
import type { HttpOptions } from "./http.ts";
import { getTask } from "./get_task.ts";
import { HttpClient, nextPage } from "./http.ts";
import { eventsParameters } from "./query.ts";
import type { ConnectionOptions } from "./connection_options.ts";
import { withDefaults } from "./connection_options.ts";
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
  /** How connections are kept and made again. */
  connection?: ConnectionOptions;
  /**
   * Tabs of one origin that follow the same task, with the same filter and for the same caller (the
   * token's issuer and subject, or the token itself), share one connection. Where the browser lacks
   * what that takes, each has its own. @default {false}
   */
  share?: boolean;
}

/** Facts about an event that `onEvent` gets beside it. */
export interface EventContext {
  /** The whole text of an accumulate series, this event included. */
  text(seriesId: string): string;
  /** The data of a series' newest event. */
  latest(seriesId: string): unknown;
  /** Where the stream is after this event. */
  cursor: string | undefined;
}

/** An error of a subscription. */
export interface SubscriptionError {
  /** The subscription is over. Otherwise it reconnects by itself. */
  fatal: boolean;
  /** Milliseconds until it does. */
  retryInMs?: number;
}

/** Options for {@linkcode TaskcastClient.subscribe}. */
export interface SubscribeOptions extends Omit<StreamOptions, "onReconnect"> {
  /** An event. */
  onEvent?: (event: EventEnvelope, context: EventContext) => void;
  /** The task has ended, and every event was given out. */
  onDone?: (reason: DoneReason) => void;
  /** Something went wrong. @default the console is warned, once, of a server that cannot be reached */
  onError?: (error: unknown, info: SubscriptionError) => void;
}

/** Options for {@linkcode TaskcastClient.history}. */
export interface HistoryOptions {
  /** Only events that match. @default all */
  filter?: EventFilter;
  /** Where to begin. @default the first event */
  since?: Since;
  /** `accumulated`: of each series only the newest event, with the whole text. @default {"delta"} */
  seriesFormat?: SeriesFormat;
  /** Events fetched at a time. @default {1000} */
  pageSize?: number;
  /** Ends the reading. */
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
   * A client of one server; it connects when it is used.
   *
   * @throws {TypeError} If `baseUrl` is not a URL, for a token and headers that cannot be sent, and
   * for a transport that is not there.
   * @throws {RangeError} For what of `connection` is no number from 1.
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
   * Follows a task, reconnecting by itself. Resolves when it has ended, and when the signal aborts.
   *
   * When the server refuses for good, or a callback throws, the subscription is over: `onError` is
   * told; only where there is none does the promise reject. So it need not be awaited.
   *
   * @throws {TaskcastHttpError} When there is no `onError`.
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

  /** The same as something to loop over, with back-pressure. See {@linkcode TaskStream}. */
  stream(taskId: string, options: StreamOptions = {}): TaskStream {
    return new TaskStream(this.#http, taskId, options, this.#follow);
  }

  /**
   * A task and where its log stands.
   *
   * @throws {TaskcastHttpError} E.g. `TASK_NOT_FOUND`.
   */
  async getTask(taskId: string): Promise<TaskDetail> {
    return await getTask(this.#http, taskId);
  }

  /** A task's stored events, page by page as they are asked for. */
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
