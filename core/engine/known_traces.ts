/** Maximum number of tasks that are remembered. */
const MAX_TASKS = 10_000;

/**
 * The traces in which tasks were created, as far as this instance knows them. Publishing does not read the
 * task's record, and a trace link is not worth a read.
 */
export class KnownTraces {
  readonly #traceparents = new Map<string, string>();

  get(taskId: string): string | undefined {
    return this.#traceparents.get(taskId);
  }

  /** @param traceparent `undefined` removes the task. */
  set(taskId: string, traceparent: string | undefined): void {
    // Maps keep insertion order, so the first key is the oldest.
    this.#traceparents.delete(taskId);
    if (traceparent === undefined) return;
    if (this.#traceparents.size >= MAX_TASKS) {
      this.#traceparents.delete(this.#traceparents.keys().next().value!);
    }
    this.#traceparents.set(taskId, traceparent);
  }
}
