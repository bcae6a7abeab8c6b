import type { BroadcastProvider, Signal, SignalScope, Unsubscribe } from "@taskcast/core/adapter";
import { MemoryBroadcastProvider } from "@taskcast/core";
import { notify } from "@taskcast/core/adapter";
import type { SqliteDatabase, SqliteStatement } from "./connection/driver.ts";

/** Milliseconds between looks at whether another process has written. */
const LOOK_MS = 50;

type Listener = (signal: Signal) => void;

/**
 * Wake-ups within this process at once, and of what other processes write to the file within a
 * moment: SQLite counts the changes that other connections make, and asking for the count reads one
 * page. Nobody asks while nobody listens.
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
    if (!("taskId" in scope)) return stop; // Who reads all tasks polls those of other processes.
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
      return this.#seen; // The file is closed, or busy: the next look tells.
    }
  }

  // It is not said which task changed; those who listen look at the store, most of them for nothing.
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
