import type { EventInput } from "@taskcast/core/protocol";
import { TaskcastError } from "@taskcast/core/protocol";
import type { EventSink } from "./chat_tasks.ts";
import type { ChatEngine } from "./chat_engine.ts";
import { retryUnavailable } from "../retry_unavailable.ts";

type Engine = ChatEngine["engine"];

/**
 * Publishes to an engine. Events that arrive while a batch is being stored form the next batch.
 * Every event has a producer's number, so a retried batch is stored once.
 */
export class EngineSink implements EventSink {
  readonly #engine: Engine;
  readonly #taskId: string;
  readonly #maxUnstored: number;
  readonly #producerId = crypto.randomUUID();
  readonly #ended = new AbortController();
  #stopWatching = () => {};
  #nextSeq = 0;
  readonly #waiting: EventInput[] = [];
  /** Characters of JSON that are waiting to be stored or are being stored. */
  #unstored = 0;
  #storing?: Promise<void>;

  private constructor(engine: Engine, taskId: string, maxUnstored: number) {
    this.#maxUnstored = maxUnstored;
    this.#engine = engine;
    this.#taskId = taskId;
  }

  /**
   * Opens a task for publishing, and watches for its end.
   *
   * @param maxUnstored Maximum characters of JSON that are not stored yet; beyond that, publishing
   * waits.
   */
  static async open(engine: Engine, taskId: string, maxUnstored: number): Promise<EngineSink> {
    const sink = new EngineSink(engine, taskId, maxUnstored);
    sink.#stopWatching = await engine.watchEnd(taskId, (ending) => {
      sink.#ended.abort(new TaskcastError("TASK_TERMINAL", `The task ended elsewhere: ${ending}`));
    });
    return sink;
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  async publish(event: EventInput): Promise<void> {
    this.signal.throwIfAborted();
    this.#waiting.push({ ...event, producerId: this.#producerId, producerSeq: this.#nextSeq++ });
    this.#unstored += sizeOf(event);
    this.#storing ??= this.#store();
    if (this.#unstored > this.#maxUnstored) await this.#storing;
    this.signal.throwIfAborted();
  }

  async close(): Promise<void> {
    await this.#storing;
    this.#stopWatching();
    this.signal.throwIfAborted();
  }

  /** Stores waiting events, including those that arrive meanwhile. Never rejects. */
  async #store(): Promise<void> {
    // Events of the same turn form one batch.
    await Promise.resolve();
    try {
      while (this.#waiting.length > 0 && !this.signal.aborted) {
        const batch = this.#waiting.splice(0, this.#engine.limits.maxBatchEvents);
        await retryUnavailable(() => this.#engine.publishEvents(this.#taskId, batch), this.signal);
        for (const event of batch) this.#unstored -= sizeOf(event);
      }
    } catch (error) {
      if (!this.signal.aborted) this.#ended.abort(error);
    } finally {
      this.#storing = undefined;
    }
  }
}

function sizeOf({ data }: EventInput): number {
  return JSON.stringify(data).length;
}
