import type { EngineContext } from "../context/context.ts";
import type { LogPosition } from "./log_position.ts";
import { Tail } from "./tail.ts";

interface Entry {
  tail: Tail;
  /** Settles once the tail listens. */
  listening: Promise<void>;
}

/**
 * The tails of the tasks that have readers on this instance, and the one timer that they need:
 * nothing runs while there are no readers.
 */
export class Tails {
  readonly #context: EngineContext;
  readonly #entries = new Map<string, Entry>();
  /** Others that want the slow poll. */
  readonly #pollers = new Set<() => void>();
  #pollTimer?: unknown;
  #beatTimer?: unknown;
  #isClosed = false;

  constructor(context: EngineContext) {
    this.#context = context;
  }

  /** Readers of a task. */
  readersOf(taskId: string): number {
    let readers = 0;
    for (const { tail } of this.#entries.values()) {
      if (tail.taskId === taskId) readers += tail.readers;
    }
    return readers;
  }

  /** Tasks with readers. */
  get size(): number {
    return this.#entries.size;
  }

  /** What is held for readers, about. */
  get bytes(): { tailBytes: number; viewBytes: number } {
    const sum = { tailBytes: 0, viewBytes: 0 };
    for (const { tail } of this.#entries.values()) {
      sum.tailBytes += tail.bytes;
      sum.viewBytes += tail.viewBytes;
    }
    return sum;
  }

  /** The tail of a task, begun where its first reader stands. Give it back with `release`. */
  async acquire(
    start: LogPosition & { taskId: string; incarnation: string },
  ): Promise<Tail> {
    const key = keyOf(start);
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      const tail: Tail = new Tail(this.#context, { ...start, onDiverged: () => this.#drop(tail) });
      entry = { tail, listening: tail.listen() };
      this.#entries.set(key, entry);
      this.#schedule();
    }
    entry.tail.readers++;
    try {
      await entry.listening;
    } catch (error) {
      await this.release(entry.tail);
      throw error;
    }
    return entry.tail;
  }

  /** A reader is gone; the last one takes the tail along. */
  async release(tail: Tail): Promise<void> {
    if (--tail.readers > 0) return;
    this.#drop(tail);
    await tail.close();
  }

  /** Nobody joins it any more. */
  #drop(tail: Tail): void {
    const key = keyOf(tail);
    // A tail that diverged may have a successor.
    if (this.#entries.get(key)?.tail === tail) this.#entries.delete(key);
    this.#unschedule();
  }

  /**
   * Nothing is heard of any more. Readers that are left may take what is in memory.
   *
   * Nobody waits for a broadcast layer that is to forget its listeners: it may be away.
   */
  close(): void {
    this.#isClosed = true;
    this.#clearTimers();
    for (const { tail } of this.#entries.values()) {
      tail.close().catch((error) => {
        this.#context.report(error, { operation: "subscription", taskId: tail.taskId });
      });
    }
  }

  /** Calls back at each slow poll, until the returned function is called. */
  onPoll(callback: () => void): () => void {
    this.#pollers.add(callback);
    this.#schedule();
    return () => {
      this.#pollers.delete(callback);
      this.#unschedule();
    };
  }

  #schedule(): void {
    if (this.#isClosed) return;
    const { clock, options } = this.#context;
    const poll = () => {
      this.#pollTimer = clock.setTimeout(poll, options.pollMs);
      for (const { tail } of this.#entries.values()) tail.markDirty();
      for (const poller of this.#pollers) poller();
    };
    const beat = () => {
      this.#beatTimer = clock.setTimeout(beat, options.heartbeatMs);
      for (const { tail } of this.#entries.values()) tail.heartbeat();
    };
    this.#pollTimer ??= clock.setTimeout(poll, options.pollMs);
    this.#beatTimer ??= clock.setTimeout(beat, options.heartbeatMs);
  }

  #unschedule(): void {
    if (this.#entries.size === 0 && this.#pollers.size === 0) this.#clearTimers();
  }

  #clearTimers(): void {
    this.#context.clock.clearTimeout(this.#pollTimer);
    this.#context.clock.clearTimeout(this.#beatTimer);
    this.#pollTimer = this.#beatTimer = undefined;
  }
}

// A task that is deleted and created again has two lives, and for a moment perhaps two tails.
function keyOf({ taskId, incarnation }: { taskId: string; incarnation: string }): string {
  return `${taskId} ${incarnation}`;
}
