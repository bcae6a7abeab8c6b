import type {
  DoneMessage,
  DoneReason,
  EventEnvelope,
  EventFilter,
  OpenMessage,
  SeriesFormat,
  Since,
} from "@taskcast/core/protocol";
import { assertTaskId, SSE_EVENT, taskPath } from "@taskcast/core/protocol";
import type { Follow } from "./follow.ts";
import type { HttpClient } from "./http.ts";
import { eventsParameters } from "./query.ts";
import { SeriesView } from "./series_view.ts";

/** Options for {@linkcode TaskcastClient.stream}. */
export interface StreamOptions {
  /** Only events that match. @default all */
  filter?: EventFilter;
  /** Position to begin at, e.g. `{ id: cursor }` of an earlier stream. @default the beginning */
  since?: Since;
  /** Replays at most the last `limit` events, then continues live. @default all */
  limit?: number;
  /** Format of accumulate series. @default {"delta"} */
  seriesFormat?: SeriesFormat;
  /** Ends the stream. */
  signal?: AbortSignal;
  /**
   * Called when a connection was opened. If the store was restored to an earlier state, `reset` is
   * set: events delivered before are void, and all events follow again from the first.
   */
  onOpen?: (message: OpenMessage) => void;
  /**
   * Called when a connection failed, with the milliseconds until the next attempt. @default
   * `console.warn`, once, if the server cannot be reached
   */
  onReconnect?: (error: unknown, delayMs: number) => void;
}

/**
 * The events of one task, each once: `for await (const event of stream)`. It reconnects by itself
 * from its position, reads only as fast as the loop, and ends with the task. Leaving the loop
 * closes the connection.
 */
export class TaskStream implements AsyncIterable<EventEnvelope> {
  readonly #http: HttpClient;
  readonly #taskId: string;
  readonly #options: StreamOptions;
  readonly #follow: Follow;
  readonly #view = new SeriesView();
  #cursor?: string;
  #reason?: DoneReason;

  /** For internal use; call `TaskcastClient.stream`. */
  constructor(http: HttpClient, taskId: string, options: StreamOptions, follow: Follow) {
    this.#http = http;
    this.#taskId = taskId;
    this.#options = options;
    this.#follow = follow;
    this.#cursor = options.since?.id;
  }

  /** Current cursor. Another stream can continue from it with `since: { id: cursor }`. */
  get cursor(): string | undefined {
    return this.#cursor;
  }

  /** Reason of the task's end; `undefined` until then. */
  get reason(): DoneReason | undefined {
    return this.#reason;
  }

  /** Returns the whole text of an accumulate series so far. */
  text(seriesId: string): string {
    return this.#view.text(seriesId);
  }

  /** Returns the data of a series' newest event. */
  latest(seriesId: string): unknown {
    return this.#view.latest(seriesId);
  }

  /**
   * Yields the events.
   *
   * @throws {TaskcastHttpError} If the server refuses the stream for good: 400, 401, 403, 404.
   * @throws {TaskcastError} `INVALID_INPUT` for an invalid task id, without a request.
   * @throws {TypeError} If the filter's types or levels are not a list, without a request.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<EventEnvelope, void> {
    if (this.#reason !== undefined) return;
    // Validated here, since errors while connecting are retried.
    assertTaskId(this.#taskId, "taskId");
    this.#urlAt(this.#cursor);
    // Warns about a connection that never opens, or fails twice in a row, but not about a single
    // disconnect.
    let failures = 1;
    const warn = (error: unknown) => {
      if (failures++ > 0) this.#http.warn(error);
    };
    const { signal, onReconnect = warn } = this.#options;
    const messages = this.#follow({
      taskId: this.#taskId,
      urlAt: (cursor) => this.#urlAt(cursor),
      cursor: this.#cursor,
      signal,
      onReconnect,
    });
    for await (const { event, value, id } of messages) {
      failures = 0;
      if (event === SSE_EVENT.open) this.#opened(value as OpenMessage);
      if (event === SSE_EVENT.done) this.#reason = (value as DoneMessage).reason;
      const envelope = event === SSE_EVENT.event ? value as EventEnvelope : undefined;
      if (envelope !== undefined) this.#view.add(envelope);
      // The cursor moves before the event is yielded, because the consumer may leave the loop with
      // this event, and has then seen it.
      if (id !== undefined) this.#cursor = id;
      if (envelope !== undefined) yield envelope;
    }
  }

  #opened(message: OpenMessage): void {
    if (message.reset) this.#view.clear();
    this.#options.onOpen?.(message);
  }

  #urlAt(cursor: string | undefined): string {
    const { filter, since = {}, limit, seriesFormat } = this.#options;
    const first = cursor === undefined;
    const query = eventsParameters({
      filter,
      seriesFormat,
      // Once there is a cursor, it replaces `since`.
      since: first ? since : undefined,
      limit: first || since.id === cursor ? limit : undefined,
    });
    return this.#http.url(`${taskPath(this.#taskId)}/events`, query);
  }
}
