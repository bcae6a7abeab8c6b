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
import { LeaseLostError } from "./lease_keeper.ts";
import { RequestBudget } from "./request_budget.ts";
import type { RetryOptions } from "./retrying.ts";
import { isNowhere } from "./retrying.ts";

/** Options for `openPublisher`. */
export interface PublisherOptions {
  /**
   * Maximum bytes that wait for the server's receipt; beyond it, publishing waits. @default
   * {4194304}
   */
  maxBufferedBytes?: number;
  /**
   * Bytes after which a request is ended to get its receipt, and the next one begins. @default
   * {1048576}
   */
  rotateBytes?: number;
  /** Maximum milliseconds of a request, from its first event to its end. @default {5000} */
  rotateMs?: number;
  /** Milliseconds for which an event is held back, to be sent together with others. @default {0} */
  lingerMs?: number;
  /**
   * Token of the lease under which events are published. The publisher renews the lease until it is
   * closed, and ends with a `LeaseLostError` when another producer has the task. @default none
   */
  lease?: string;
  /**
   * Milliseconds of the lease, a third of which is the longest silence. @default {5000} the shortest
   * lease
   */
  leaseMs?: number;
  /** Aborts the publisher; events that are not stored yet may be lost. */
  signal?: AbortSignal;
}

/** Approximate number of bytes passed to the network at a time. */
const CHUNK_BYTES = 64 * 1024;

/** Milliseconds after which a request that is still open counts as having reached the server. */
const OPEN_MS = 1_000;

/** Progress of one request. */
class Sending {
  readonly #startMs = performance.now();
  #firstMs = Infinity;
  /** When the last bytes were sent, blank lines included. */
  #lastMs = -Infinity;
  lines = 0;
  bytes = 0;
  /** Set once the request was answered, even if not everything was sent. */
  isOver = false;

  add(lines: number, bytes: number): void {
    if (this.lines === 0) this.#firstMs = performance.now();
    this.lines += lines;
    this.bytes += bytes;
    this.addBlank();
  }

  /** Records a blank line, which counts neither as a line nor against the budget. */
  addBlank(): void {
    this.#lastMs = performance.now();
  }

  /** Milliseconds since the last bytes; `Infinity` before the first. */
  get silentMs(): number {
    return performance.now() - this.#lastMs;
  }

  /** Milliseconds since the request began. */
  get openMs(): number {
    return performance.now() - this.#startMs;
  }

  /** Milliseconds since its first line was sent; 0 before that. */
  get sendingMs(): number {
    return Math.max(0, performance.now() - this.#firstMs);
  }
}

/** The receipt is impossible, so it is not that of a Taskcast server. */
class NonsenseReceipt extends TypeError {
  constructor(published: unknown, sent: number) {
    super(`The server confirmed ${published} of ${sent} events; is the base URL right?`);
  }
}

/**
 * Streams events into a task over a sequence of requests. Each event is stored exactly once: it has
 * a number, is kept until the server has confirmed it, and is sent again if the connection breaks.
 * The server recognizes events that it already has.
 */
export class Publisher {
  readonly #http: HttpClient;
  readonly #taskId: string;
  readonly #url: string;
  readonly #headers: Record<string, string> = { "content-type": "application/x-ndjson" };
  /** Longest silence in milliseconds of an open request. */
  readonly #maxSilenceMs: number;
  readonly #options: Required<Omit<PublisherOptions, "signal" | "lease">>;
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
  /** Number of events that a flush waits for. The request is ended to get their receipt. */
  #flushTo = 0;
  #wakeSender?: () => void;
  #progress = Promise.withResolvers<void>();

  /** For internal use; call `TaskcastServerClient.openPublisher`. */
  constructor(
    http: HttpClient,
    taskId: string,
    { signal, lease, ...options }: PublisherOptions,
    retry: RetryOptions,
  ) {
    this.#http = http;
    this.#taskId = taskId;
    this.#url = http.url(`${taskPath(taskId)}/events`);
    this.#options = {
      maxBufferedBytes: 4 * 1024 * 1024,
      rotateBytes: 1024 * 1024,
      rotateMs: 5_000,
      lingerMs: 0,
      leaseMs: 5_000,
      ...options,
    };
    const { lingerMs, ...positive } = this.#options;
    assertPositive({ ...positive, lingerMs: lingerMs === 0 ? undefined : lingerMs });
    if (lease !== undefined) this.#headers["taskcast-lease"] = lease;
    this.#maxSilenceMs = lease === undefined ? Infinity : this.#options.leaseMs / 3;
    this.#retry = retry;
    this.#budget = new RequestBudget({
      bytes: this.#options.rotateBytes,
      ms: this.#options.rotateMs,
    });
    const removeSignalListener = onAbort(signal, () => this.#end(signal!.reason));
    this.#running = this.#run().finally(removeSignalListener);
  }

  /**
   * Aborts when nothing can be published any more, e.g. because the task was cancelled or timed out.
   * Its reason is the error. Pass the signal to the code that produces the events.
   */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /**
   * Publishes an event. Resolves when there is room for more, which may be before it is stored; see
   * {@linkcode Publisher.flush}.
   *
   * @throws The error that ended the publisher, e.g. `TASK_TERMINAL`.
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
   * @throws The error that ended the publisher before that.
   */
  async flush(): Promise<PublishReceipt> {
    const target = this.#nextSeq;
    this.#flushTo = target;
    this.#wakeSender?.();
    while (this.#receipt.published < target) await this.#nextProgress();
    return { ...this.#receipt };
  }

  /** Stores the remaining events and ends. See {@linkcode Publisher.flush}. Safe to call twice. */
  async close(): Promise<PublishReceipt> {
    this.#closing = true;
    this.#wakeSender?.();
    await this.#running;
    // Events that were stored before the task ended elsewhere stay stored.
    if (this.#lines.length > 0) this.#ended.signal.throwIfAborted();
    return { ...this.#receipt };
  }

  /** {@linkcode Publisher.close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Set once the publisher is closed and all its events are stored. */
  get #isFinished(): boolean {
    return this.#closing && this.#lines.length === 0;
  }

  async #run(): Promise<void> {
    let failures = 0;
    let isReached = false;
    const startMs = performance.now();
    // A request is open even if there is nothing to send: the server ends it when the task ends, so
    // the end is noticed at once.
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
        if (isLast || !this.#mayRepeat(error)) return this.#end(this.#reasonOf(error));
        const delayMs = retryDelayMs(failures, error, this.#retry);
        // A request that stayed open has reached a server.
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
   * Returns whether retrying may help. After a refused token, a fresh one is requested once. If the
   * token expired during the request, the server reports its progress; this does not count as a
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

  #reasonOf(error: unknown): unknown {
    const isLost = error instanceof TaskcastHttpError && error.code === "LEASE_LOST";
    return isLost ? new LeaseLostError(this.#taskId, "lost") : error;
  }

  /** Sends waiting and new events in one request, until its budget is used up. */
  async #request(sending: Sending): Promise<void> {
    try {
      const response = await this.#http.request(this.#url, {
        method: "POST",
        headers: this.#headers,
        body: this.#body(sending),
        duplex: "half",
        signal: this.#ended.signal,
      }, { refreshToken: this.#refreshToken });
      this.#confirm(await this.#http.read(response, isReceipt), sending);
    } catch (error) {
      // A refusal in the middle of a request reports how many events were stored.
      if (error instanceof TaskcastHttpError && error.details?.published !== undefined) {
        this.#confirm(error.details, sending);
      }
      throw error;
    } finally {
      // The body may still wait for lines, and would receive the wake-up of the next request.
      sending.isOver = true;
      this.#wakeSender?.();
    }
  }

  /** Set if a flush waits for the receipt, or a publish for room. */
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
          const chunk = this.#nextChunk(sending.lines, budget.bytes - sending.bytes);
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
          // Each request begins with a sign of life, as the one before may not have arrived.
          const untilBlankMs = this.#maxSilenceMs === Infinity
            ? Infinity
            : this.#maxSilenceMs - sending.silentMs;
          if (untilBlankMs <= 0) {
            sending.addBlank();
            controller.enqueue(new TextEncoder().encode("\n"));
            return;
          }
          await this.#nextLine(Math.min(leftMs, untilBlankMs));
        }
      },
      cancel: () => this.#wakeSender?.(),
    }, { highWaterMark: 0 });
  }

  /** Joins the lines from `start` into one chunk of about `maxBytes`. */
  #nextChunk(start: number, maxBytes: number): { bytes: Uint8Array; lines: number } | undefined {
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

  /** Waits until there is something to do, at most for `limitMs`. */
  async #nextLine(limitMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wakeSender = resolve;
    const cancelTimer = startTimer(limitMs, resolve);
    await promise;
    cancelTimer();
    if (this.#wakeSender === resolve) this.#wakeSender = undefined;
    const { lingerMs } = this.#options;
    if (lingerMs > 0 && !this.#closing) await sleep(lingerMs, this.#ended.signal);
  }

  /** Drops the events that a receipt confirms. */
  #confirm({ published, lastIndex }: { [name: string]: unknown }, { lines }: Sending): void {
    if (!isCount(published, lines)) throw new NonsenseReceipt(published, lines);
    for (const { length } of this.#lines.splice(0, published)) this.#bufferedBytes -= length;
    this.#receipt.published += published;
    if (typeof lastIndex === "number") {
      this.#receipt.lastIndex = Math.max(this.#receipt.lastIndex, lastIndex);
    }
    this.#announceProgress();
  }

  #end(reason: unknown): void {
    if (!this.#ended.signal.aborted) this.#ended.abort(reason);
    this.#wakeSender?.();
    this.#announceProgress();
  }

  #announceProgress(): void {
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
