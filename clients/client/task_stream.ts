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

/** Part of a task to follow, and options. */
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
  /**
   * A connection was made, or the store was restored to an earlier state: `reset` then says that
   * everything that is left follows, from the first event, and what was given out before is void.
   */
  onOpen?: (message: OpenMessage) => void;
  /**
   * A connection failed; another will be made after the wait. @default the console is warned, once,
   * of a server that cannot be reached
   */
  onReconnect?: (error: unknown, delayMs: number) => void;
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
  readonly #follow: Follow;
  readonly #view = new SeriesView();
  #cursor?: string;
  #reason?: DoneReason;

  /** Use `TaskcastClient.stream`. */
  constructor(http: HttpClient, taskId: string, options: StreamOptions, follow: Follow) {
    this.#http = http;
    this.#taskId = taskId;
    this.#options = options;
    this.#follow = follow;
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
   * @throws {TaskcastError} `INVALID_INPUT` if the task's id is none; nothing is asked then.
   * @throws {TypeError} If the filter's types or levels are no list; nothing is asked then.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<EventEnvelope, void> {
    if (this.#reason !== undefined) return;
    // Here, since what connecting throws is tried again.
    assertTaskId(this.#taskId, "taskId");
    this.#urlAt(this.#cursor);
    // A connection that is cut now and then is no news; one that does not come about is.
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
      // The cursor moves before the event is given out: who leaves the loop on it has had it.
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
      // From the first cursor on it would only say again where the stream once began.
      since: first ? since : undefined,
      limit: first || since.id === cursor ? limit : undefined,
    });
    return this.#http.url(`${taskPath(this.#taskId)}/events`, query);
  }
}
