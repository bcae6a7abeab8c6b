import type { HttpClient } from "@taskcast/client/http";
import {
  assertPositive,
  retryDelayMs,
  sleep,
  STABLE_MS,
  TaskcastHttpError,
} from "@taskcast/client/http";
import type { EventInput, PublishReceipt } from "@taskcast/core/protocol";
import { onAbort, startTimer, taskPath } from "@taskcast/core/protocol";
import { isReceipt } from "./answer_shapes.ts";
import { RequestBudget } from "./request_budget.ts";
import type { RetryOptions } from "./retrying.ts";
import { isNowhere } from "./retrying.ts";

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

/** Milliseconds after which a request that is open has reached a server. */
const OPEN_MS = 1_000;

/** A part of the events that wait, sent in one request. */
class Sending {
  readonly #startMs = performance.now();
  #firstMs = Infinity;
  lines = 0;
  bytes = 0;
  /** The request has been answered, perhaps before all was sent. */
  isOver = false;

  add(lines: number, bytes: number): void {
    if (this.lines === 0) this.#firstMs = performance.now();
    this.lines += lines;
    this.bytes += bytes;
  }

  /** Milliseconds since the request began. */
  get openMs(): number {
    return performance.now() - this.#startMs;
  }

  /** Milliseconds since its first line went out; 0 before that. */
  get sendingMs(): number {
    return Math.max(0, performance.now() - this.#firstMs);
  }
}

/** The answers are not those of a Taskcast server. */
class NonsenseReceipt extends TypeError {
  constructor(published: unknown, sent: number) {
    super(`The server confirmed ${published} of ${sent} events; is the base URL right?`);
  }
}

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
  readonly #budget: RequestBudget;
  readonly #producerId = crypto.randomUUID();
  readonly #ended = new AbortController();
  /** Lines that the server has not confirmed. */
  readonly #lines: Uint8Array[] = [];
  readonly #running: Promise<void>;
  readonly #receipt: PublishReceipt = { published: 0, lastIndex: -1 };
  #nextSeq = 0;
  #refreshToken = false;
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
    this.#url = http.url(`${taskPath(taskId)}/events`);
    this.#options = {
      maxBufferedBytes: 4 * 1024 * 1024,
      rotateBytes: 1024 * 1024,
      rotateMs: 5_000,
      lingerMs: 0,
      ...options,
    };
    const { lingerMs, ...positive } = this.#options;
    assertPositive({ ...positive, lingerMs: lingerMs === 0 ? undefined : lingerMs });
    this.#retry = retry;
    this.#budget = new RequestBudget({
      bytes: this.#options.rotateBytes,
      ms: this.#options.rotateMs,
    });
    const forgetSignal = onAbort(signal, () => this.#end(signal!.reason));
    this.#running = this.#run().finally(forgetSignal);
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

  /** It is closed, and all that was published is stored. */
  get #isFinished(): boolean {
    return this.#closing && this.#lines.length === 0;
  }

  async #run(): Promise<void> {
    let failures = 0;
    let isReached = false;
    const startMs = performance.now();
    // A request is open all the time, also while there is nothing to send: it is how the end of the
    // task is heard of at once.
    while (!this.#ended.signal.aborted && !this.#isFinished) {
      const sending = new Sending();
      const before = this.#receipt.published;
      try {
        await this.#request(sending);
        if (this.#receipt.published === before && !this.#isFinished) {
          throw new Error("The server ended the request and confirmed nothing");
        }
        this.#budget.grow();
        failures = 0;
        this.#refreshToken = false;
      } catch (error) {
        if (this.#ended.signal.aborted) return;
        const hasProgress = this.#receipt.published > before;
        if (hasProgress || sending.openMs >= STABLE_MS) failures = 0;
        if (!hasProgress && sending.lines > 0) {
          this.#budget.shrink(sending.bytes, sending.sendingMs);
        }
        failures++;
        const isLast = failures >= (this.#retry.attempts ?? 6) * 2;
        if (isLast || !this.#mayRepeat(error)) return this.#end(error);
        const delayMs = retryDelayMs(failures, error, this.#retry);
        // Where nothing listens no request stays open.
        isReached ||= sending.openMs >= OPEN_MS;
        const spentMs = performance.now() - startMs + delayMs;
        if (
          !isReached && error instanceof TypeError && isNowhere(this.#http, this.#retry, spentMs)
        ) {
          return this.#end(error);
        }
        await sleep(delayMs, this.#ended.signal);
      }
    }
  }

  /**
   * Returns true if the same may succeed later. A refused token is replaced once; one that was
   * accepted and ran out during the request, as the server says with how far it came, is no
   * refusal.
   */
  #mayRepeat(error: unknown): boolean {
    if (error instanceof NonsenseReceipt) return false;
    if (!(error instanceof TaskcastHttpError)) return true;
    if (error.status !== 401) return error.transient;
    const isFirst = !this.#refreshToken || typeof error.details?.published === "number";
    this.#refreshToken = true;
    return error.isForeign || isFirst && this.#http.canRefreshToken;
  }

  /** Sends what there is and what comes, until the request is due to be ended. */
  async #request(sending: Sending): Promise<void> {
    try {
      const response = await this.#http.request(this.#url, {
        method: "POST",
        headers: { "content-type": "application/x-ndjson" },
        body: this.#body(sending),
        duplex: "half",
        signal: this.#ended.signal,
      }, { refreshToken: this.#refreshToken });
      this.#confirm(await this.#http.read(response, isReceipt), sending);
    } catch (error) {
      // A request that is refused in its middle says how far it came.
      if (error instanceof TaskcastHttpError && error.details?.published !== undefined) {
        this.#confirm(error.details, sending);
      }
      throw error;
    } finally {
      // Its body may be waiting for lines, and would take the next one's wake-up away.
      sending.isOver = true;
      this.#wakeSender?.();
    }
  }

  /** Somebody waits for it: to know that all is stored, or for room. */
  get #isReceiptWanted(): boolean {
    return this.#flushTo > this.#receipt.published ||
      this.#bufferedBytes > this.#options.maxBufferedBytes;
  }

  #body(sending: Sending): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        for (;;) {
          if (sending.isOver) return controller.close();
          const budget = this.#budget;
          const chunk = this.#take(sending.lines, budget.bytes - sending.bytes);
          if (chunk !== undefined) {
            sending.add(chunk.lines, chunk.bytes.length);
            controller.enqueue(chunk.bytes);
            return;
          }
          const isWanted = this.#isReceiptWanted && sending.lines > 0;
          const leftMs = sending.lines === 0 ? Infinity : budget.ms - sending.sendingMs;
          const isFull = sending.bytes >= budget.bytes || leftMs <= 0;
          if (this.#ended.signal.aborted || this.#closing || isWanted || isFull) {
            controller.close();
            return;
          }
          await this.#nextLine(leftMs);
        }
      },
      cancel: () => this.#wakeSender?.(),
    }, { highWaterMark: 0 });
  }

  /** Joins the lines from `start` on into one chunk, until it has some of `maxBytes`. */
  #take(start: number, maxBytes: number): { bytes: Uint8Array; lines: number } | undefined {
    const limit = Math.min(CHUNK_BYTES, maxBytes);
    let bytes = 0;
    let end = start;
    while (end < this.#lines.length && bytes < limit) bytes += this.#lines[end++]!.length;
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
    const forgetTimer = startTimer(limitMs, resolve);
    await promise;
    forgetTimer();
    if (this.#wakeSender === resolve) this.#wakeSender = undefined;
    const { lingerMs } = this.#options;
    if (lingerMs > 0 && !this.#closing) await sleep(lingerMs, this.#ended.signal);
  }

  /** The server has the first events of a request. */
  #confirm({ published, lastIndex }: { [name: string]: unknown }, { lines }: Sending): void {
    if (!isCount(published, lines)) throw new NonsenseReceipt(published, lines);
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

function isCount(value: unknown, max: number): value is number {
  return Number.isInteger(value) && 0 <= (value as number) && (value as number) <= max;
}
