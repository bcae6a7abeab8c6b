import type { EngineContext } from "../context/context.ts";
import type { LogPosition } from "./log_position.ts";
import { Tail } from "./tail.ts";

interface Entry {
  tail: Tail;
  /** Resolves once the tail's subscription to wake-ups is live. */
  listening: Promise<void>;
}

/**
 * The tails of the tasks that have readers on this instance, and the timers they share. No timer runs
 * while there are no readers.
 */
export class Tails {
  readonly #context: EngineContext;
  readonly #entries = new Map<string, Entry>();
  /** Further callbacks of the slow poll. */
  readonly #pollers = new Set<() => void>();
  #pollTimer?: unknown;
  #heartbeatTimer?: unknown;
  #isClosed = false;

  constructor(context: EngineContext) {
    this.#context = context;
  }

  /** Returns the number of readers of a task. */
  readersOf(taskId: string): number {
    let readers = 0;
    for (const { tail } of this.#entries.values()) {
      if (tail.taskId === taskId) readers += tail.readerCount;
    }
    return readers;
  }

  /** Number of tasks with readers. */
  get size(): number {
    return this.#entries.size;
  }

  /** Approximate bytes held for readers. */
  get bytes(): { tailBytes: number; viewBytes: number } {
    const sum = { tailBytes: 0, viewBytes: 0 };
    for (const { tail } of this.#entries.values()) {
      sum.tailBytes += tail.bytes;
      sum.viewBytes += tail.frameBytes;
    }
    return sum;
  }

  /** Returns the tail of a task, which starts at its first reader's position. Pair with `release`. */
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
    entry.tail.readerCount++;
    try {
      await entry.listening;
    } catch (error) {
      await this.release(entry.tail);
      throw error;
    }
    return entry.tail;
  }

  /** Removes a reader from a tail, and closes the tail after the last one. */
  async release(tail: Tail): Promise<void> {
    if (--tail.readerCount > 0) return;
    this.#drop(tail);
    await tail.close();
  }

  /** Removes a tail, so that no further reader joins it. */
  #drop(tail: Tail): void {
    const key = keyOf(tail);
    // A tail that diverged may have a successor.
    if (this.#entries.get(key)?.tail === tail) this.#entries.delete(key);
    this.#unschedule();
  }

  /**
   * Stops all wake-ups and timers. Remaining readers may still take what is in memory.
   *
   * Does not wait for the broadcast layer to remove its listeners, because it may be unreachable.
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

  /** Calls back at each slow poll. The returned function stops it. */
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
    const heartbeat = () => {
      this.#heartbeatTimer = clock.setTimeout(heartbeat, options.heartbeatMs);
      for (const { tail } of this.#entries.values()) tail.heartbeat();
    };
    this.#pollTimer ??= clock.setTimeout(poll, options.pollMs);
    this.#heartbeatTimer ??= clock.setTimeout(heartbeat, options.heartbeatMs);
  }

  #unschedule(): void {
    if (this.#entries.size === 0 && this.#pollers.size === 0) this.#clearTimers();
  }

  #clearTimers(): void {
    this.#context.clock.clearTimeout(this.#pollTimer);
    this.#context.clock.clearTimeout(this.#heartbeatTimer);
    this.#pollTimer = this.#heartbeatTimer = undefined;
  }
}

// A task that is deleted and created again has two incarnations, and for a moment perhaps two tails.
function keyOf({ taskId, incarnation }: { taskId: string; incarnation: string }): string {
  return `${taskId} ${incarnation}`;
}
