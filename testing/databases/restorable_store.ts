import { MemoryShortTermStore } from "@taskcast/core";
import type { ShortTermStore } from "@taskcast/core/adapter";

/** Methods that change a store. */
const CHANGES = new Set<PropertyKey>([
  "commit",
  "deleteTask",
  "trimLog",
  "archived",
  "schedule",
  "claim",
  "writeNote",
]);

/** A store in memory that can be restored to any earlier state. */
export interface RestorableStore extends ShortTermStore {
  /** Number of changes so far. */
  readonly changes: number;
  /** Restores the state after this number of changes, and continues from there. */
  restore(changes: number): Promise<void>;
}

/** Records each change, and rebuilds the store from the first of them. */
export function restorableStore(): RestorableStore {
  let store = new MemoryShortTermStore();
  let log: { name: string; args: unknown[] }[] = [];
  const own = {
    get changes() {
      return log.length;
    },
    async restore(changes: number) {
      const kept = structuredClone(log.slice(0, changes));
      const earlier = new MemoryShortTermStore();
      for (const { name, args } of kept) await call(earlier, name, args);
      // Replaced at once, as when a server restarts, so that no read sees a partial state.
      store = earlier;
      log = kept;
    },
  };
  return new Proxy(own as RestorableStore, {
    get(target, name) {
      if (name in target) return Reflect.get(target, name);
      if (typeof Reflect.get(store, name) !== "function") return undefined;
      return (...args: unknown[]) => {
        if (CHANGES.has(name)) log.push({ name: name as string, args: structuredClone(args) });
        return call(store, name as string, args);
      };
    },
  });
}

function call(store: ShortTermStore, name: string, args: unknown[]): unknown {
  return Reflect.get(store, name).apply(store, args);
}
