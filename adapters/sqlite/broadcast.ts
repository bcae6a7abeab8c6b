import type { BroadcastProvider, Signal, SignalScope, Unsubscribe } from "@taskcast/core/adapter";
import { MemoryBroadcastProvider } from "@taskcast/core";
import { notify } from "@taskcast/core/adapter";
import type { SqliteDatabase, SqliteStatement } from "./connection/driver.ts";

/** Milliseconds between checks for writes of other processes. */
const LOOK_MS = 50;

type Listener = (signal: Signal) => void;

/**
 * Wake-ups within this process at once, and of other processes' writes within a moment: SQLite
 * counts the changes of other connections, and reading the count reads one page. It is read only
 * while there are listeners.
 */
export class SqliteBroadcast implements BroadcastProvider {
  readonly #here = new MemoryBroadcastProvider();
  readonly #byTask = new Map<Listener, string>();
  readonly #version: SqliteStatement;
  #seen: unknown;
  #timer?: ReturnType<typeof setInterval>;

  constructor(database: SqliteDatabase) {
    this.#version = database.prepare("PRAGMA data_version");
  }

  publish(signal: Signal): void {
    this.#here.publish(signal);
  }

  async subscribe(scope: SignalScope, onSignal: Listener): Promise<Unsubscribe> {
    const stop = await this.#here.subscribe(scope, onSignal);
    if (!("taskId" in scope)) return stop; // Readers of all tasks poll for those of other processes.
    const listener: Listener = (signal) => onSignal(signal);
    this.#byTask.set(listener, scope.taskId);
    if (this.#timer === undefined) {
      this.#seen = this.#look();
      this.#timer = setInterval(() => this.#wakeIfChanged(), LOOK_MS);
    }
    return async () => {
      this.#byTask.delete(listener);
      if (this.#byTask.size === 0) this.#stopLooking();
      await stop();
    };
  }

  async check(): Promise<void> {}

  close(): Promise<void> {
    this.#byTask.clear();
    this.#stopLooking();
    return Promise.resolve();
  }

  #look(): unknown {
    try {
      return (this.#version.get() as { data_version: number }).data_version;
    } catch {
      return this.#seen; // The file is closed or busy; the next check will tell.
    }
  }

  // The count does not name the changed task, so all listeners read the store, most of them in
  // vain.
  #wakeIfChanged(): void {
    const version = this.#look();
    if (version === this.#seen) return;
    this.#seen = version;
    for (const [listener, taskId] of this.#byTask) {
      notify(listener, { taskId, from: Infinity, length: Infinity });
    }
  }

  #stopLooking(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
