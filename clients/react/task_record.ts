import type { EventEnvelope, TaskcastClient } from "@taskcast/client";
import { isFinal, retryDelayMs, sleep } from "@taskcast/client/http";
import type { Task, TaskStatus } from "@taskcast/core/protocol";
import { isTerminal } from "@taskcast/core/protocol";

/** Options of {@linkcode TaskRecord}. */
export interface TaskRecordOptions {
  client: TaskcastClient;
  taskId: string;
  /** Stops reading. */
  signal: AbortSignal;
  /** Called when the record changed. */
  onChange: () => void;
  /** Called when the record cannot be read and retrying would not help. */
  onError: (error: unknown) => void;
}

/**
 * The record of a task, kept up to date. A status event is applied at once, and the record is then
 * read again for fields that the event lacks (e.g. when a blocked task resumes).
 */
export class TaskRecord {
  readonly #options: TaskRecordOptions;
  #task?: Task;
  /** Index of the newest event that the record reflects. */
  #index = -1;
  #isStale = false;
  #isReading = false;

  constructor(options: TaskRecordOptions) {
    this.#options = options;
  }

  /** The task; `undefined` until it was read. */
  get task(): Task | undefined {
    return this.#task;
  }

  /** Reads the record again. Calls during a read cause one more read. */
  refresh(): void {
    this.#isStale = true;
    if (!this.#isReading) void this.#read();
  }

  /** Starts over, since the store was restored to an earlier state. */
  restart(): void {
    this.#index = -1;
    if (this.#task !== undefined || this.#isReading) this.refresh();
  }

  /** Applies a status event. Every change of a task appends one. */
  apply(event: EventEnvelope): void {
    if (event.rawIndex <= this.#index) return;
    this.#index = event.rawIndex;
    if (this.#task !== undefined) {
      this.#task = withStatus(this.#task, event);
      this.#options.onChange();
    }
    this.refresh();
  }

  async #read(): Promise<void> {
    const { client, taskId, signal, onChange, onError } = this.#options;
    this.#isReading = true;
    let failures = 0;
    while (this.#isStale && !signal.aborted) {
      this.#isStale = false;
      try {
        const { lastIndex, subscriberCount: _, ...task } = await client.getTask(taskId);
        if (signal.aborted) return;
        failures = 0;
        // The answer is older than an applied event. The next read will include it.
        if (lastIndex < this.#index && this.#isStale) continue;
        this.#index = lastIndex;
        this.#task = task;
        onChange();
      } catch (error) {
        if (signal.aborted) return;
        if (isFinal(error, { isMet: this.#task !== undefined, failures })) {
          onError(error);
          break;
        }
        this.#isStale = true;
        await sleep(retryDelayMs(++failures, error), signal);
      }
    }
    this.#isReading = false;
  }
}

/** Returns a task with the changes that a status event contains. */
function withStatus(task: Task, { data, timestamp }: EventEnvelope): Task {
  const { status, result, error, reason } = data as Pick<Task, "result" | "error" | "reason"> & {
    status: TaskStatus;
  };
  const changed: Task = { ...task, status, updatedAt: timestamp, reason };
  if (result !== undefined) changed.result = result;
  if (error !== undefined) changed.error = error;
  if (isTerminal(status)) changed.completedAt = timestamp;
  return changed;
}
