import type {
  BroadcastProvider,
  HealthReport,
  Signal,
  SignalScope,
  Unsubscribe,
} from "@taskcast/core/adapter";
import { MemoryBroadcastProvider } from "@taskcast/core";
import { inTime, notify } from "@taskcast/core/adapter";
import type { Connections, ConnectOptions } from "./connection/connect.ts";
import type { Database } from "./connection/database.ts";
import { Listener } from "./connection/listener.ts";

/** The channel of all wake-ups. */
const CHANNEL = "taskcast_wake";

/**
 * Milliseconds in which signals are collected: NOTIFY takes a lock on the whole PostgreSQL server.
 */
const COLLECT_MS = 5;

/** Maximum bytes of a notification; PostgreSQL refuses 8000. */
const MAX_PAYLOAD = 7_000;

/**
 * Milliseconds that the first subscription waits for PostgreSQL; after that, readers poll until it
 * is there.
 */
const LISTEN_MS = 2_000;

const DEAF =
  "wake-ups of PostgreSQL are not heard: a pooler between gives each transaction another " +
  'connection, or "listenUrl" leads to another database; set "listenUrl" ' +
  "(TASKCAST_POSTGRES_LISTEN_URL) to an address of this database without such a pooler";

const NOT_LISTENING = "wake-ups of PostgreSQL cannot be listened to at the moment";

/**
 * Wake-ups over LISTEN and NOTIFY. Signals of one instance are collected for a few milliseconds,
 * and those of one task are merged, so their number does not grow with that of the events.
 */
export class PostgresBroadcast implements BroadcastProvider {
  readonly #database: Database;
  readonly #listener: Listener;
  readonly #onClose: () => Promise<void>;
  /** Listeners of this process. */
  readonly #here = new MemoryBroadcastProvider();
  readonly #tasks = new Map<string, Set<(signal: Signal) => void>>();
  readonly #pending = new Map<string, Signal>();
  #timer?: ReturnType<typeof setTimeout>;
  #closed = false;

  constructor(
    database: Database,
    connect: (options: ConnectOptions) => Connections,
    onClose: () => Promise<void>,
  ) {
    this.#database = database;
    this.#onClose = onClose;
    this.#listener = new Listener(CHANNEL, {
      connect,
      timeoutMs: database.timeoutMs,
      publish: (channel) => database.run("SELECT pg_notify($1, '')", channel),
      onNotify: (payload) => this.#hear(payload),
      onGap: () => this.#wakeAll(),
    });
  }

  /** Listens on a new connection, since others turned out to be dead. */
  renew(): void {
    this.#listener.renew();
  }

  publish(signal: Signal): void {
    const known = this.#pending.get(signal.taskId);
    this.#pending.set(signal.taskId, known === undefined ? signal : merged(known, signal));
    if (this.#timer === undefined && !this.#closed) {
      this.#timer = setTimeout(() => void this.#flush(), COLLECT_MS);
    }
  }

  async subscribe(scope: SignalScope, onSignal: (signal: Signal) => void): Promise<Unsubscribe> {
    const late = () => new Error("not listening yet");
    await inTime(this.#listener.listen(), LISTEN_MS, late).catch(() => {});
    const stop = await this.#here.subscribe(scope, onSignal);
    if (!("taskId" in scope)) return stop;
    const { taskId } = scope;
    const listeners = this.#tasks.get(taskId) ?? new Set();
    this.#tasks.set(taskId, listeners.add(onSignal));
    return async () => {
      listeners.delete(onSignal);
      if (listeners.size === 0) this.#tasks.delete(taskId);
      await stop();
    };
  }

  /** Requires that wake-ups sent over the statement connections are received. */
  async check(): Promise<HealthReport | void> {
    await this.#database.read("SELECT 1");
    const hears = await this.#listener.hears();
    if (hears === true || this.#closed) return;
    return { status: "unavailable", message: hears === false ? DEAF : NOT_LISTENING };
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#listener.close();
    await this.#onClose();
  }

  #hear(payload: string): void {
    for (const [taskId, from, length, ended] of JSON.parse(payload)) {
      this.#here.publish({ taskId, from, length, ...(ended === 1 && { ended: true }) });
    }
  }

  #wakeAll(): void {
    for (const [taskId, listeners] of this.#tasks) {
      for (const listener of listeners) {
        notify(listener, { taskId, from: Infinity, length: Infinity });
      }
    }
  }

  async #flush(): Promise<void> {
    this.#timer = undefined;
    const signals = [...this.#pending.values()];
    this.#pending.clear();
    const payloads: string[] = [];
    let entries: string[] = [];
    let size = 0;
    for (const { taskId, from, length, ended } of signals) {
      const entry = JSON.stringify([taskId, from, length, ended ? 1 : 0]);
      if (size + entry.length + 1 > MAX_PAYLOAD) {
        payloads.push(`[${entries.join(",")}]`);
        entries = [];
        size = 0;
      }
      entries.push(entry);
      size += entry.length + 1;
    }
    payloads.push(`[${entries.join(",")}]`);
    try {
      await this.#database.run(
        "SELECT pg_notify($1, p) FROM json_array_elements_text($2::text::json) AS p",
        CHANNEL,
        JSON.stringify(payloads),
      );
    } catch {
      // A wake-up may be lost; readers get the events at their next poll.
    }
  }
}

function merged(a: Signal, b: Signal): Signal {
  const ended = a.ended || b.ended;
  return {
    taskId: a.taskId,
    from: Math.min(a.from, b.from),
    length: Math.max(a.length, b.length),
    ...(ended && { ended }),
  };
}
