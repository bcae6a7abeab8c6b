/** Tasks that are remembered. */
const MAX_TASKS = 10_000;

/**
 * The traces in which tasks were created, as far as this instance came to know them: publishing
 * reads no record, and a link is not worth a read.
 */
export class KnownTraces {
  readonly #traceparents = new Map<string, string>();

  get(taskId: string): string | undefined {
    return this.#traceparents.get(taskId);
  }

  /** @param traceparent Left out: what was known of the id is of an earlier life. */
  set(taskId: string, traceparent: string | undefined): void {
    // Maps keep their order, so the first key is the one that was set longest ago.
    this.#traceparents.delete(taskId);
    if (traceparent === undefined) return;
    if (this.#traceparents.size >= MAX_TASKS) {
      this.#traceparents.delete(this.#traceparents.keys().next().value!);
    }
    this.#traceparents.set(taskId, traceparent);
  }
}
