import type { HttpClient } from "@taskcast/client/http";
import { backoffMs, sleep, TaskcastHttpError } from "@taskcast/client/http";
import type { EventInput, PublishReceipt } from "@taskcast/core/protocol";
import type { RetryOptions } from "./retrying.ts";

/** Options for `openPublisher`. */
export interface PublisherOptions {
  /** Bytes that may wait for the server's receipt; publishing then waits. @default {4194304} */
  maxBufferedBytes?: number;
  /** Bytes after which a request is ended for its receipt and the next begun. @default {1048576} */
  rotateBytes?: number;
  /** Milliseconds after which that happens at the latest. @default {5000} */
  rotateMs?: number;
  /** Milliseconds that an event waits for others to travel with. @default {0} */
  lingerMs?: number;
  /** Gives the publisher up; what is not stored yet may be lost. */
  signal?: AbortSignal;
}

/** Bytes that are handed to the network at a time, about. */
const CHUNK_BYTES = 64 * 1024;

/**
 * Streams events into a task over one request after another, with nothing lost and nothing doubled:
 * every event has a number, stays here until the server has confirmed it, and is sent again if the
 * connection breaks; the server knows what it has.
 */
export class Publisher {
  readonly #http: HttpClient;
  readonly #url: string;
  readonly #options: Required<Omit<PublisherOptions, "signal">>;
  readonly #retry: RetryOptions;
  readonly #producerId = crypto.randomUUID();
  readonly #ended = new AbortController();
  /** Lines that the server has not confirmed. */
  readonly #lines: Uint8Array[] = [];
  readonly #running: Promise<void>;
  readonly #receipt: PublishReceipt = { published: 0, lastIndex: -1 };
  #nextSeq = 0;
  #bufferedBytes = 0;
  #closing = false;
  /** The number of lines that somebody waits for; the request is ended to get the receipt. */
  #flushTo = 0;
  #wakeSender?: () => void;
  #progress = Promise.withResolvers<void>();

  /** Use `TaskcastServerClient.openPublisher`. */
  constructor(
    http: HttpClient,
    taskId: string,
    { signal, ...options }: PublisherOptions,
    retry: RetryOptions,
  ) {
    this.#http = http;
    this.#url = http.url(`/tasks/${encodeURIComponent(taskId)}/events`);
    this.#options = {
      maxBufferedBytes: 4 * 1024 * 1024,
      rotateBytes: 1024 * 1024,
      rotateMs: 5_000,
      lingerMs: 0,
      ...options,
    };
    this.#retry = retry;
    if (signal?.aborted) this.#end(signal.reason);
    signal?.addEventListener("abort", () => this.#end(signal.reason), {
      once: true,
      signal: this.#ended.signal,
    });
    this.#running = this.#run();
  }

  /**
   * Aborts when nothing can be published any more: the task was ended elsewhere, e.g. cancelled or
   * timed out. The reason is the error; give the signal to whatever produces the events.
   */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /**
   * Takes an event. Resolves when there is room for more, which is not yet when it is stored; see
   * {@linkcode Publisher.flush}.
   *
   * @throws What ended the publisher, e.g. `TASK_TERMINAL`.
   */
  async publish(event: EventInput): Promise<void> {
    this.#ended.signal.throwIfAborted();
    if (this.#closing) throw new TypeError("The publisher is closed");
    const json = JSON.stringify({
      ...event,
      producerId: this.#producerId,
      producerSeq: this.#nextSeq,
    });
    const bytes = new TextEncoder().encode(json + "\n");
    this.#nextSeq++;
    this.#lines.push(bytes);
    this.#bufferedBytes += bytes.length;
    this.#wakeSender?.();
    while (this.#bufferedBytes > this.#options.maxBufferedBytes) await this.#nextProgress();
  }

  /**
   * Resolves when everything published so far is stored.
   *
   * @throws What ended the publisher before that.
   */
  async flush(): Promise<PublishReceipt> {
    const target = this.#nextSeq;
    this.#flushTo = target;
    this.#wakeSender?.();
    while (this.#receipt.published < target) await this.#nextProgress();
    return { ...this.#receipt };
  }

  /** Stores what is left and ends. See {@linkcode Publisher.flush}. Safe to call twice. */
  async close(): Promise<PublishReceipt> {
    this.#closing = true;
    this.#wakeSender?.();
    await this.#running;
    // What was stored before the task ended elsewhere is stored.
    if (this.#lines.length > 0) this.#ended.signal.throwIfAborted();
    return { ...this.#receipt };
  }

  /** {@linkcode Publisher.close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #run(): Promise<void> {
    let failures = 0;
    // A request is open all the time, also while there is nothing to send: it is how the end of the
    // task is heard of at once.
    while (!this.#ended.signal.aborted && !(this.#closing && this.#lines.length === 0)) {
      const before = this.#receipt.published;
      try {
        await this.#request();
        failures = 0;
      } catch (error) {
        if (this.#ended.signal.aborted) return;
        if (error instanceof TaskcastHttpError) {
          const published = error.details?.published;
          if (typeof published === "number") this.#confirm(published, error.details?.lastIndex);
          if (!error.transient) return this.#end(error);
        }
        if (this.#receipt.published > before) failures = 0;
        failures++;
        if (failures >= (this.#retry.attempts ?? 6) * 2) return this.#end(error);
        const wanted = error instanceof TaskcastHttpError ? error.retryAfterMs : undefined;
        await sleep(wanted ?? backoffMs(failures, this.#retry), this.#ended.signal);
      }
    }
  }

  /** Sends what there is and what comes, until the request is due to be ended. */
  async #request(): Promise<void> {
    const response = await this.#http.request(this.#url, {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body: this.#body(),
      duplex: "half",
      signal: this.#ended.signal,
    });
    const { published, lastIndex }: PublishReceipt = await response.json();
    this.#confirm(published, lastIndex);
  }

  #body(): ReadableStream<Uint8Array> {
    let sentLines = 0;
    let sentBytes = 0;
    let rotateAtMs = Infinity;
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        for (;;) {
          const chunk = this.#take(sentLines);
          if (chunk !== undefined) {
            sentLines += chunk.lines;
            sentBytes += chunk.bytes.length;
            rotateAtMs = Math.min(rotateAtMs, Date.now() + this.#options.rotateMs);
            controller.enqueue(chunk.bytes);
            return;
          }
          const wanted = this.#flushTo > this.#receipt.published;
          if (
            this.#ended.signal.aborted || this.#closing || (wanted && sentLines > 0) ||
            sentBytes >= this.#options.rotateBytes ||
            Date.now() >= rotateAtMs
          ) {
            controller.close();
            return;
          }
          await this.#nextLine(rotateAtMs - Date.now());
        }
      },
      cancel: () => this.#wakeSender?.(),
    }, { highWaterMark: 0 });
  }

  /** Joins the lines from `start` on into one chunk. */
  #take(start: number): { bytes: Uint8Array; lines: number } | undefined {
    let bytes = 0;
    let end = start;
    while (end < this.#lines.length && bytes < CHUNK_BYTES) bytes += this.#lines[end++]!.length;
    if (end === start) return undefined;
    const chunk = new Uint8Array(bytes);
    let at = 0;
    for (let i = start; i < end; i++) {
      chunk.set(this.#lines[i]!, at);
      at += this.#lines[i]!.length;
    }
    return { bytes: chunk, lines: end - start };
  }

  /** Waits until there is something to do, or for so long. */
  async #nextLine(limitMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wakeSender = resolve;
    const timer = limitMs === Infinity ? undefined : setTimeout(resolve, Math.max(0, limitMs));
    await promise;
    clearTimeout(timer);
    this.#wakeSender = undefined;
    const { lingerMs } = this.#options;
    if (lingerMs > 0 && !this.#closing) await sleep(lingerMs, this.#ended.signal);
  }

  /** The server has the first lines of the open request. */
  #confirm(published: number, lastIndex: unknown): void {
    for (const { length } of this.#lines.splice(0, published)) this.#bufferedBytes -= length;
    this.#receipt.published += published;
    if (typeof lastIndex === "number") {
      this.#receipt.lastIndex = Math.max(this.#receipt.lastIndex, lastIndex);
    }
    this.#tell();
  }

  #end(reason: unknown): void {
    if (!this.#ended.signal.aborted) this.#ended.abort(reason);
    this.#wakeSender?.();
    this.#tell();
  }

  #tell(): void {
    this.#progress.resolve();
    this.#progress = Promise.withResolvers();
  }

  async #nextProgress(): Promise<void> {
    this.#ended.signal.throwIfAborted();
    await this.#progress.promise;
  }
}
