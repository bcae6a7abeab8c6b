import type { BroadcastProvider, Signal, SignalScope, Unsubscribe } from "@taskcast/core/adapter";
import { MemoryBroadcastProvider } from "@taskcast/core";
import { retryUntilUnchanged } from "./connection/attempts.ts";
import type { Database } from "./connection/database.ts";
import type { KvEntry } from "./connection/kv.ts";
import { WAKE_MS } from "./limits.ts";
import type { WakeValue } from "./rows/values.ts";
import { Watches } from "./watches.ts";

/**
 * Wake-ups within this process at once. For other processes, the key of each task with listeners is
 * watched, so a wake-up comes as soon as the database announces the change: on Deno Deploy in every
 * isolate, on a file in every connection of the same process. Other processes on a file get no
 * announcements, so there the keys are checked periodically. Readers of all tasks poll for those of
 * other processes.
 */
export class DenoKvBroadcast implements BroadcastProvider {
  readonly #database: Database;
  readonly #here = new MemoryBroadcastProvider();
  readonly #watches: Watches;
  readonly #listeners = new Map<string, number>();
  /** The last signal of each task that has listeners here. */
  readonly #told = new Map<string, Signal>();
  readonly #onClose: () => void;

  constructor(
    database: Database,
    { lookMs, onClose }: { lookMs: number | undefined; onClose: () => void },
  ) {
    this.#database = database;
    this.#watches = new Watches(database, (taskId, entry) => this.#hear(taskId, entry), lookMs);
    this.#onClose = onClose;
  }

  async publish(signal: Signal): Promise<void> {
    this.notifyLocal(signal);
    const { kv, keys } = this.#database;
    const { taskId, from, length, ended } = signal;
    await retryUntilUnchanged(async () => {
      const key = keys.wake(taskId);
      const before = (await kv.get(key)).value as WakeValue | null;
      const wake: WakeValue = { from, length };
      // A watch may show only the last of several changes, so every later value repeats the end.
      if (ended || before?.ended) wake.ended = true;
      await kv.atomic().set(key, wake, { expireIn: WAKE_MS }).commit();
    });
  }

  async subscribe(
    scope: SignalScope,
    onSignal: (signal: Signal) => void,
  ): Promise<Unsubscribe> {
    const stop = await this.#here.subscribe(scope, onSignal);
    if (!("taskId" in scope)) return stop;
    const { taskId } = scope;
    const count = this.#listeners.get(taskId) ?? 0;
    this.#listeners.set(taskId, count + 1);
    await this.#watches.add(taskId);
    let isListening = true;
    return async () => {
      if (!isListening) return;
      isListening = false;
      await stop();
      const left = this.#listeners.get(taskId)! - 1;
      if (left > 0) this.#listeners.set(taskId, left);
      else {
        this.#listeners.delete(taskId);
        this.#told.delete(taskId);
        await this.#watches.remove(taskId);
      }
    };
  }

  async check(): Promise<void> {
    await retryUntilUnchanged(() => this.#database.kv.get(this.#database.keys.all("check")));
  }

  async close(): Promise<void> {
    await this.#watches.close();
    this.#onClose();
  }

  /** Notifies the listeners of this process. */
  notifyLocal(signal: Signal): void {
    if (this.#listeners.has(signal.taskId)) this.#told.set(signal.taskId, signal);
    this.#here.publish(signal);
  }

  #hear(taskId: string, { value }: KvEntry): void {
    if (value === null || !this.#listeners.has(taskId)) return;
    const { from, length, ended } = value as WakeValue;
    const told = this.#told.get(taskId);
    // The echo of a signal that was delivered here.
    if (told?.length === length && told.from === from && told.ended === ended) return;
    const signal: Signal = { taskId, from, length };
    if (ended) signal.ended = true;
    this.notifyLocal(signal);
  }
}
