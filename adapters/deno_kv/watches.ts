import type { Database } from "./connection/database.ts";
import type { KvEntry } from "./connection/kv.ts";
import { MAX_KEYS } from "./limits.ts";

type Hear = (taskId: string, entry: KvEntry) => void;

/** Milliseconds that a new listener waits for the database; the watch continues regardless. */
const LIVE_MS = 2_000;

/** Milliseconds before a broken watch is restarted. */
const AGAIN_MS = 1_000;

/** Watches the wake-ups of tasks, ten per watch. */
export class Watches {
  readonly #database: Database;
  readonly #hear: Hear;
  readonly #lookMs: number | undefined;
  readonly #groups = new Map<string, Group>();
  readonly #withRoom = new Set<Group>();

  /**
   * @param lookMs Milliseconds between checks, for a database that does not announce all changes.
   */
  constructor(database: Database, hear: Hear, lookMs: number | undefined) {
    this.#database = database;
    this.#hear = hear;
    this.#lookMs = lookMs;
  }

  /** Watches a task. Resolves once the watch is live. */
  async add(taskId: string): Promise<void> {
    let group = this.#groups.get(taskId);
    if (group === undefined) {
      const [open = new Group(this.#database, this.#hear, this.#lookMs)] = this.#withRoom;
      group = open;
      this.#groups.set(taskId, group);
      if (group.add(taskId)) this.#withRoom.add(group);
      else this.#withRoom.delete(group);
    }
    await group.live();
  }

  /** Stops watching a task. */
  async remove(taskId: string): Promise<void> {
    const group = this.#groups.get(taskId);
    if (group === undefined) return;
    this.#groups.delete(taskId);
    this.#withRoom.add(group);
    if (group.remove(taskId)) return;
    this.#withRoom.delete(group);
    await group.close();
  }

  /** Stops all watches. */
  async close(): Promise<void> {
    const groups = new Set(this.#groups.values());
    this.#groups.clear();
    this.#withRoom.clear();
    await Promise.all([...groups].map((group) => group.close()));
  }
}

/** Tasks that share a watch, which restarts when a task is added. */
class Group {
  readonly #database: Database;
  readonly #hear: Hear;
  /** The last seen version of each task's wake-up; `undefined` before the first read. */
  readonly #seen = new Map<string, string | null | undefined>();
  #reader: ReadableStreamDefaultReader<readonly KvEntry[]> | undefined;
  #live: Promise<void> | undefined;
  #timer?: ReturnType<typeof setTimeout>;
  readonly #looking?: ReturnType<typeof setInterval>;
  #isClosed = false;

  constructor(database: Database, hear: Hear, lookMs: number | undefined) {
    this.#database = database;
    this.#hear = hear;
    if (lookMs !== undefined) this.#looking = setInterval(() => void this.#look(), lookMs);
  }

  /** Adds a task if there is room. Returns whether there was. */
  add(taskId: string): boolean {
    this.#seen.set(taskId, undefined);
    // Tasks added in the same turn are watched together.
    this.#live = Promise.resolve().then(() => this.#begin([...this.#seen.keys()]));
    return this.#seen.size < MAX_KEYS;
  }

  /** Removes a task. Returns whether any is left. */
  remove(taskId: string): boolean {
    this.#seen.delete(taskId);
    return this.#seen.size > 0;
  }

  async live(): Promise<void> {
    await this.#live;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#looking);
    await this.#reader?.cancel().catch(() => {});
  }

  async #begin(taskIds: readonly string[]): Promise<void> {
    if (this.#isClosed || taskIds.length < this.#seen.size) return await this.#live; // A later one starts.
    const { kv, keys } = this.#database;
    const before = this.#reader;
    let onLive = () => {};
    const live = new Promise<void>((resolve) => onLive = resolve);
    const timer = setTimeout(onLive, LIVE_MS);
    try {
      const reader = kv.watch(taskIds.map((id) => keys.wake(id))).getReader();
      this.#reader = reader;
      void this.#follow(reader, taskIds, onLive);
    } catch {
      this.#again();
      onLive();
    }
    await before?.cancel().catch(() => {});
    await live;
    clearTimeout(timer);
  }

  async #follow(
    reader: ReadableStreamDefaultReader<readonly KvEntry[]>,
    taskIds: readonly string[],
    onLive: () => void,
  ): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        for (const [at, entry] of value.entries()) this.#see(taskIds[at]!, entry);
        onLive();
      }
    } catch {
      // It is restarted below.
    }
    onLive();
    if (this.#reader === reader) this.#again();
  }

  #see(taskId: string, entry: KvEntry): void {
    if (!this.#seen.has(taskId)) return;
    const before = this.#seen.get(taskId);
    this.#seen.set(taskId, entry.versionstamp);
    if (before !== undefined && before !== entry.versionstamp) this.#hear(taskId, entry);
  }

  async #look(): Promise<void> {
    const { kv, keys } = this.#database;
    const taskIds = [...this.#seen.keys()];
    try {
      const entries = await kv.getMany(taskIds.map((id) => keys.wake(id)));
      if (this.#isClosed) return;
      for (const [at, entry] of entries.entries()) this.#see(taskIds[at]!, entry);
    } catch {
      // The next health check reports it.
    }
  }

  #again(): void {
    if (this.#isClosed || this.#seen.size === 0) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#begin([...this.#seen.keys()]), AGAIN_MS);
  }
}
