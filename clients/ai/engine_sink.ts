import { backoffMs, sleep } from "@taskcast/client/http";
import type { EventInput } from "@taskcast/core/protocol";
import { TaskcastError } from "@taskcast/core/protocol";
import type { EventSink } from "./chat_tasks.ts";
import type { ChatEngine } from "./engine_tasks.ts";

type Engine = ChatEngine["engine"];

/** Characters of JSON that may wait to be stored; publishing then waits. */
const MAX_WAITING = 4 * 1024 * 1024;
/** How often a batch is tried while the store cannot be reached: for about 15 seconds. */
const ATTEMPTS = 6;

/**
 * Publishes into an engine: what comes while a batch is being stored is the next batch. Every event
 * has a number, so a batch that is tried again is stored once.
 */
export class EngineSink implements EventSink {
  readonly #engine: Engine;
  readonly #taskId: string;
  readonly #producerId = crypto.randomUUID();
  readonly #ended = new AbortController();
  #stopWatching = () => {};
  #nextSeq = 0;
  #waiting: EventInput[] = [];
  #waitingSize = 0;
  #storing?: Promise<void>;

  private constructor(engine: Engine, taskId: string) {
    this.#engine = engine;
    this.#taskId = taskId;
  }

  /** Opens a task for events, and watches for its end. */
  static async open(engine: Engine, taskId: string): Promise<EngineSink> {
    const sink = new EngineSink(engine, taskId);
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
    this.#waitingSize += JSON.stringify(event.data).length;
    this.#storing ??= this.#store();
    if (this.#waitingSize > MAX_WAITING) await this.#storing;
    this.signal.throwIfAborted();
  }

  async close(): Promise<void> {
    await this.#storing;
    this.#stopWatching();
    this.signal.throwIfAborted();
  }

  /** Stores everything that waits, and what comes meanwhile. Never rejects. */
  async #store(): Promise<void> {
    // What comes in the same turn is one batch.
    await Promise.resolve();
    try {
      while (this.#waiting.length > 0 && !this.signal.aborted) {
        const batch = this.#waiting.splice(0, this.#engine.limits.maxBatchEvents);
        if (this.#waiting.length === 0) this.#waitingSize = 0;
        await this.#publish(batch);
      }
    } catch (error) {
      if (!this.signal.aborted) this.#ended.abort(error);
    } finally {
      this.#storing = undefined;
    }
  }

  async #publish(batch: readonly EventInput[]): Promise<void> {
    for (let attempt = 1;; attempt++) {
      try {
        await this.#engine.publishEvents(this.#taskId, batch);
        return;
      } catch (error) {
        const isTransient = error instanceof TaskcastError && error.code === "STORE_UNAVAILABLE";
        if (!isTransient || attempt >= ATTEMPTS || this.signal.aborted) throw error;
        await sleep(backoffMs(attempt), this.signal);
      }
    }
  }
}
