import type { StoredEvent } from "../../core/contracts/records.ts";
import type { FakeClock } from "../fake_clock.ts";
import { fakeClock } from "../fake_clock.ts";
import type { LongTermStore } from "../../core/contracts/long_term_store.ts";
import type { ShortTermStore } from "../../core/contracts/short_term_store.ts";
import { MemoryBroadcastProvider } from "../../core/memory/broadcast.ts";
import { MemoryLongTermStore } from "../../core/memory/long_term_store.ts";
import { MemoryShortTermStore } from "../../core/memory/short_term_store.ts";
import type { TaskEngineOptions } from "../../core/engine/options.ts";
import { TaskEngine } from "../../core/engine/engine.ts";

/** Milliseconds until the archive stores a commit. */
export const DELAY_MS = 500;
/** Milliseconds for which the hot copy of an ended task is kept beside the archive. */
export const RETENTION_MS = 60_000;

/** Wraps an adapter whose methods can be made to fail, or to do something before they run. */
export function interrupted<Adapter extends object>(
  adapter: Adapter,
  before: (method: string) => void | Promise<void>,
): Adapter {
  return new Proxy(adapter, {
    get(target, name) {
      const method = Reflect.get(target, name, target);
      if (typeof method !== "function") return method;
      return async (...args: unknown[]) => {
        await before(String(name));
        return await method.apply(target, args);
      };
    },
  });
}

/** Stores, and engines on them, that share a manual clock. */
export interface ArchiveSetup {
  clock: FakeClock;
  hot: MemoryShortTermStore;
  cold: MemoryLongTermStore;
  /** Errors passed to `onUnhandledError`. */
  errors: unknown[];
  open(more?: Partial<TaskEngineOptions>): TaskEngine;
}

/** Returns a short-term store, an archive, and engines that move data from the one to the other. */
export function setUp(options: Partial<TaskEngineOptions> = {}): ArchiveSetup {
  const clock = fakeClock();
  const hot = new MemoryShortTermStore();
  const cold = new MemoryLongTermStore();
  const errors: unknown[] = [];
  const open = (more: Partial<TaskEngineOptions> = {}) =>
    new TaskEngine({
      broadcast: new MemoryBroadcastProvider(),
      shortTermStore: hot,
      longTermStore: cold,
      clock,
      options: { archiveDelayMs: DELAY_MS, hotRetentionMs: RETENTION_MS, archiveBatch: 7 },
      hooks: { onUnhandledError: (error) => void errors.push(error) },
      ...options,
      ...more,
    });
  return { clock, hot, cold, errors, open };
}

/** Returns all events that a store has of a task. */
export async function everyEvent(
  store: ShortTermStore | LongTermStore,
  id: string,
): Promise<readonly StoredEvent[] | undefined> {
  return (await store.readLog(id, { after: -1, limit: 1_000 }))?.events;
}
