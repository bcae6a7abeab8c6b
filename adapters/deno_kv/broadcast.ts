import type { BroadcastProvider, Signal, SignalScope, Unsubscribe } from "@taskcast/core/adapter";
import { MemoryBroadcastProvider } from "@taskcast/core";
import { untilSettled } from "./connection/attempts.ts";
import type { Database } from "./connection/database.ts";
import type { KvEntry } from "./connection/kv.ts";
import { WAKE_MS } from "./limits.ts";
import type { WakeValue } from "./rows/values.ts";
import { Watches } from "./watches.ts";

/**
 * Wake-ups within this process at once. In others each task that is listened to is watched by its
 * key, so a wake-up comes as soon as the database tells of the change: on Deno Deploy in every
 * isolate, of a file in every connection of the same process. Other processes on a file are told
 * nothing, so there the keys are looked at from time to time. Who reads all tasks polls those of
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
    this.tellHere(signal);
    const { kv, keys } = this.#database;
    const { taskId, from, length, ended } = signal;
    await untilSettled(async () => {
      const key = keys.wake(taskId);
      const before = (await kv.get(key)).value as WakeValue | null;
      const wake: WakeValue = { from, length };
      // Who watches may see the last of several changes only, so an end is told with all after it.
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
    await untilSettled(() => this.#database.kv.get(this.#database.keys.all("check")));
  }

  async close(): Promise<void> {
    await this.#watches.close();
    this.#onClose();
  }

  /** Tells those who listen in this process. */
  tellHere(signal: Signal): void {
    if (this.#listeners.has(signal.taskId)) this.#told.set(signal.taskId, signal);
    this.#here.publish(signal);
  }

  #hear(taskId: string, { value }: KvEntry): void {
    if (value === null || !this.#listeners.has(taskId)) return;
    const { from, length, ended } = value as WakeValue;
    const told = this.#told.get(taskId);
    // The echo of what was told here.
    if (told?.length === length && told.from === from && told.ended === ended) return;
    const signal: Signal = { taskId, from, length };
    if (ended) signal.ended = true;
    this.tellHere(signal);
  }
}
