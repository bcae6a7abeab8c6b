import type { EventFilter, TaskcastClient } from "@taskcast/client";
import type { TaskView, Watcher } from "./task_store.ts";
import { TaskStore } from "./task_store.ts";

/**
 * Milliseconds for which a connection is kept after its last hook was removed. Under StrictMode, and
 * when a component moves, React removes hooks and adds them again.
 */
const RELEASE_AFTER_MS = 200;

interface Entry {
  store: TaskStore;
  watchers: number;
  releaseTimer?: ReturnType<typeof setTimeout>;
}

const entriesOf = new WeakMap<TaskcastClient, Map<string, Entry>>();

/** Returns a key for a task and a filter. Filters that match the same events have the same key. */
export function storeKey(taskId: string, filter: EventFilter = {}): string {
  const { types, levels, includeStatus = true } = filter;
  const canonical: EventFilter = {};
  if (types?.length && !types.includes("*")) canonical.types = [...new Set(types)].toSorted();
  if (levels?.length) canonical.levels = [...new Set(levels)].toSorted();
  if (!includeStatus) canonical.includeStatus = false;
  return JSON.stringify([taskId, canonical]);
}

/**
 * Returns the current view of a task if a hook watches it. Has no effects, so it may be called
 * while rendering.
 */
export function peek(client: TaskcastClient, key: string): TaskView | undefined {
  return entriesOf.get(client)?.get(key)?.store;
}

/**
 * Follows a task over an existing connection or a new one.
 *
 * @param key Key from {@linkcode storeKey}.
 * @returns A function that stops following. The connection closes 200 ms after the last hook has
 * stopped.
 */
export function watch(client: TaskcastClient, key: string, watcher: Watcher): () => void {
  let entries = entriesOf.get(client);
  if (entries === undefined) entriesOf.set(client, entries = new Map());
  let entry = entries.get(key);
  // A refused stream is opened again for a new hook.
  if (entry !== undefined && entry.watchers === 0 && entry.store.isRefused) {
    clearTimeout(entry.releaseTimer);
    entry.store.close();
    entry = undefined;
  }
  if (entry === undefined) {
    const [taskId, filter]: [string, EventFilter] = JSON.parse(key);
    entries.set(key, entry = { store: new TaskStore(client, taskId, filter), watchers: 0 });
  }
  clearTimeout(entry.releaseTimer);
  entry.watchers++;
  const unwatch = entry.store.watch(watcher);
  const { store } = entry;
  return () => {
    unwatch();
    if (--entry.watchers > 0) return;
    entry.releaseTimer = setTimeout(() => {
      entries.delete(key);
      store.close();
    }, RELEASE_AFTER_MS);
  };
}
