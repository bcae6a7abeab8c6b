import type { EventEnvelope, TaskcastClient } from "@taskcast/client";
import { isFinal, retryDelayMs, sleep } from "@taskcast/client/http";
import type { Task, TaskStatus } from "@taskcast/core/protocol";
import { isTerminal } from "@taskcast/core/protocol";

/** Options of a {@linkcode TaskRecord}. */
export interface TaskRecordOptions {
  client: TaskcastClient;
  taskId: string;
  /** Ends the reading. */
  signal: AbortSignal;
  /** The record changed. */
  onChange: () => void;
  /** It cannot be read, and asking again would not help. */
  onError: (error: unknown) => void;
}

/**
 * The record of a task, kept up to date: what a status event says is in it at once, and the rest
 * (e.g. when a task that is blocked goes on) as soon as it was read again.
 */
export class TaskRecord {
  readonly #options: TaskRecordOptions;
  #task?: Task;
  /** The newest event that the record takes account of. */
  #index = -1;
  #isStale = false;
  #isReading = false;

  constructor(options: TaskRecordOptions) {
    this.#options = options;
  }

  /** `undefined` until it was read. */
  get task(): Task | undefined {
    return this.#task;
  }

  /** Reads it again, once for any number of calls that come while it is being read. */
  refresh(): void {
    this.#isStale = true;
    if (!this.#isReading) void this.#read();
  }

  /** The store was restored to an earlier state: what was known is void, and is read again. */
  restart(): void {
    this.#index = -1;
    if (this.#task !== undefined || this.#isReading) this.refresh();
  }

  /** Takes in a status event; each change of a task comes with one. */
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
        // An answer from before an event that is here already: it is read again.
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

/** A task after a status event, as far as that tells. */
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
