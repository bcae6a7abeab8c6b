import type {
  DoneMessage,
  DoneReason,
  EventEnvelope,
  EventFilter,
  OpenMessage,
  SeriesFormat,
  Since,
  TaskDetail,
} from "@taskcast/core/protocol";
import { isTerminal, SSE_EVENT } from "@taskcast/core/protocol";
import type { BackoffOptions } from "./backoff.ts";
import { backoffMs, sleep } from "./backoff.ts";
import type { HttpClient } from "./http.ts";
import { TaskcastHttpError } from "./http.ts";
import { SeriesView } from "./series_view.ts";
import { sseMessages } from "./sse_messages.ts";

/** What of a task is to be followed, and how. */
export interface StreamOptions {
  /** Only events that match. @default all */
  filter?: EventFilter;
  /** Where to go on, e.g. `{ id: cursor }` of an earlier stream. @default the beginning */
  since?: Since;
  /** Replays at most the last of the events, then goes on live. @default all */
  limit?: number;
  /** How accumulate series are told. @default {"delta"} */
  seriesFormat?: SeriesFormat;
  /** Ends the stream. */
  signal?: AbortSignal;
  /** A connection was made. */
  onOpen?: (message: OpenMessage) => void;
  /** A connection failed; another will be made after the wait. */
  onReconnect?: (error: unknown, delayMs: number) => void;
}

/** How connections are kept. */
export interface ConnectionOptions extends BackoffOptions {
  /** Milliseconds without a byte after which a connection counts as lost. @default {45000} */
  idleTimeoutMs?: number;
}

/**
 * The events of one task, once: `for await (const event of stream)`. It reconnects by itself from
 * where it is, reads only as fast as it is read, and ends with the task; leaving the loop closes
 * the connection.
 */
export class TaskStream implements AsyncIterable<EventEnvelope> {
  readonly #http: HttpClient;
  readonly #taskId: string;
  readonly #options: StreamOptions;
  readonly #connection: ConnectionOptions;
  readonly #view = new SeriesView();
  #cursor?: string;
  #reason?: DoneReason;
  #retryMs?: number;

  /** Use `TaskcastClient.stream`. */
  constructor(
    http: HttpClient,
    taskId: string,
    options: StreamOptions,
    connection: ConnectionOptions,
  ) {
    this.#http = http;
    this.#taskId = taskId;
    this.#options = options;
    this.#connection = connection;
    this.#cursor = options.since?.id;
  }

  /** Where the stream is: a later one can go on with `since: { id: cursor }`. */
  get cursor(): string | undefined {
    return this.#cursor;
  }

  /** Why the task ended; `undefined` until it does. */
  get reason(): DoneReason | undefined {
    return this.#reason;
  }

  /** The whole text of an accumulate series so far. */
  text(seriesId: string): string {
    return this.#view.text(seriesId);
  }

  /** The data of a series' newest event. */
  latest(seriesId: string): unknown {
    return this.#view.latest(seriesId);
  }

  /**
   * The events.
   *
   * @throws {TaskcastHttpError} When the server refuses the stream for good: 400, 401, 403, 404.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<EventEnvelope, void> {
    const { signal, onReconnect } = this.#options;
    let failures = 0;
    while (!signal?.aborted && this.#reason === undefined) {
      let problem: unknown = new Error("The connection ended before the task did");
      try {
        for await (const event of this.#connect(() => failures = 0)) yield event;
      } catch (error) {
        if (signal?.aborted) return;
        if (error instanceof TaskcastHttpError && !error.transient) throw error;
        problem = error;
      }
      if (this.#reason !== undefined || signal?.aborted) return;
      const delayMs = this.#delayMs(++failures, problem);
      onReconnect?.(problem, delayMs);
      await sleep(delayMs, signal);
    }
  }

  /** One connection, from where the stream is. */
  async *#connect(onProgress: () => void): AsyncGenerator<EventEnvelope, void> {
    const { signal, onOpen } = this.#options;
    const idle = new IdleTimer(this.#connection.idleTimeoutMs ?? 45_000, signal);
    try {
      const response = await this.#http.request(this.#url(), {
        headers: {
          accept: "text/event-stream",
          ...(this.#cursor === undefined ? {} : { "last-event-id": this.#cursor }),
        },
        cache: "no-store",
        signal: idle.signal,
      });
      if (response.status === 204 || response.body === null) {
        this.#reason = await this.#reasonOfEnd();
        return;
      }
      await assertEventStream(response);
      const messages = sseMessages(response.body, {
        signal: idle.signal,
        onActivity: () => idle.restart(),
        onRetry: (retryMs) => this.#retryMs = retryMs,
      });
      for await (const { event, data, id } of messages) {
        onProgress();
        if (event === SSE_EVENT.open) onOpen?.(JSON.parse(data));
        if (event === SSE_EVENT.done) this.#reason = (JSON.parse(data) as DoneMessage).reason;
        const envelope: EventEnvelope | undefined = event === SSE_EVENT.event
          ? JSON.parse(data)
          : undefined;
        if (envelope !== undefined) this.#view.add(envelope);
        // The cursor moves before the event is given out: who leaves the loop on it has had it.
        if (id !== undefined) this.#cursor = id;
        idle.pause(); // How long the consumer takes says nothing about the connection.
        if (envelope !== undefined) yield envelope;
        if (this.#reason !== undefined) return;
        idle.restart();
      }
    } finally {
      idle.close();
    }
  }

  #url(): string {
    const { filter = {}, since = {}, limit, seriesFormat } = this.#options;
    const first = this.#cursor === undefined;
    return this.#http.url(`/tasks/${encodeURIComponent(this.#taskId)}/events`, {
      types: filter.types?.length ? filter.types.join(",") : undefined,
      levels: filter.levels?.length ? filter.levels.join(",") : undefined,
      includeStatus: filter.includeStatus,
      seriesFormat,
      // From the first cursor on these would only say again where the stream once began.
      "since.index": first ? since.index : undefined,
      "since.timestamp": first ? since.timestamp : undefined,
      limit: first || since.id === this.#cursor ? limit : undefined,
    });
  }

  #delayMs(failures: number, problem: unknown): number {
    if (problem instanceof TaskcastHttpError && problem.retryAfterMs !== undefined) {
      return problem.retryAfterMs;
    }
    const { minDelayMs = this.#retryMs, ...options } = this.#connection;
    return backoffMs(failures, { minDelayMs, ...options });
  }

  /** The cursor was that of the end already, so the stream itself does not say why. */
  async #reasonOfEnd(): Promise<DoneReason> {
    const url = this.#http.url(`/tasks/${encodeURIComponent(this.#taskId)}`);
    const { status } = await this.#http.json<TaskDetail>("GET", url);
    return isTerminal(status) ? status : "completed";
  }
}

/** What answers with something else is not our server, and asking again will not change that. */
async function assertEventStream(response: Response): Promise<void> {
  const type = response.headers.get("content-type") ?? "nothing";
  if (type.startsWith("text/event-stream")) return;
  await response.body?.cancel();
  throw new TaskcastHttpError(response, {
    code: "NOT_FOUND",
    message: `The answer is ${type} and no event stream; is the base URL right?`,
  });
}

/** Aborts a connection on which nothing comes any more. */
class IdleTimer {
  readonly #limitMs: number;
  readonly #controller = new AbortController();
  readonly #outer?: AbortSignal;
  readonly #onOuterAbort = () => this.#controller.abort(this.#outer?.reason);
  #timer?: ReturnType<typeof setTimeout>;
  /** When the connection counts as lost; never while paused. */
  #lostAtMs = Infinity;

  constructor(limitMs: number, outer: AbortSignal | undefined) {
    this.#limitMs = limitMs;
    this.#outer = outer;
    outer?.addEventListener("abort", this.#onOuterAbort, { once: true });
    this.restart();
    this.#watch(limitMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  // Called for every chunk, so the timer stays as it is and looks at the time when it fires.
  restart(): void {
    this.#lostAtMs = performance.now() + this.#limitMs;
  }

  pause(): void {
    this.#lostAtMs = Infinity;
  }

  #watch(delayMs: number): void {
    this.#timer = setTimeout(() => {
      const leftMs = this.#lostAtMs - performance.now();
      if (leftMs > 0) return this.#watch(Math.min(Math.ceil(leftMs), this.#limitMs));
      const problem = `Nothing came for ${this.#limitMs} ms; the connection is lost`;
      this.#controller.abort(new Error(problem));
    }, delayMs);
  }

  /** Also gives up the connection, if it is still there. */
  close(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener("abort", this.#onOuterAbort);
    this.#controller.abort();
  }
}
