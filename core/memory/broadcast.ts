import type {
  BroadcastProvider,
  Signal,
  SignalScope,
  Unsubscribe,
} from "../contracts/broadcast.ts";
import { notify } from "../contracts/broadcast.ts";

type Listener = (signal: Signal) => void;

/** Wake-ups within one process. Listeners are called before `publish` returns. */
export class MemoryBroadcastProvider implements BroadcastProvider {
  readonly #byTask = new Map<string, Set<Listener>>();
  readonly #ofAll = new Set<Listener>();

  /** Calls the listeners. An error of one affects neither the others nor the caller. */
  publish(signal: Signal): void {
    const listeners = this.#byTask.get(signal.taskId);
    if (listeners !== undefined) { for (const listener of listeners) notify(listener, signal); }
    for (const listener of this.#ofAll) notify(listener, signal);
  }

  /** Listens, at once. */
  subscribe(scope: SignalScope, onSignal: (signal: Signal) => void): Promise<Unsubscribe> {
    const listener: Listener = (signal) => onSignal(signal); // The same function may listen twice.
    if (!("taskId" in scope)) {
      this.#ofAll.add(listener);
      return Promise.resolve(() => void this.#ofAll.delete(listener));
    }
    const { taskId } = scope;
    const listeners = this.#byTask.get(taskId) ?? new Set();
    this.#byTask.set(taskId, listeners.add(listener));
    return Promise.resolve(() => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#byTask.get(taskId) === listeners) {
        this.#byTask.delete(taskId);
      }
    });
  }

  /** The layer is always usable. */
  async check(): Promise<void> {}

  /** There is nothing to release. */
  async close(): Promise<void> {}

  /** Listeners by task. */
  get size(): number {
    return this.#byTask.size;
  }
}
