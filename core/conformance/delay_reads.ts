import type { TaskReader } from "../contracts/task_reader.ts";

const READS = new Set([
  "getTask",
  "listTasks",
  "readLog",
  "readFolds",
  "countMatches",
  "due",
  "positions",
]);

/**
 * Wraps a store so that its reads resolve a few turns of the event loop late, as over a network. By
 * then a result may be outdated; code that relies on nothing happening in between fails with it.
 *
 * @param ticks The delay in turns of the event loop.
 */
export function delayReads<Store extends TaskReader>(store: Store, ticks = 1): Store {
  return new Proxy(store, {
    get(target, name) {
      const method = Reflect.get(target, name, target);
      if (typeof method !== "function") return method;
      if (!READS.has(String(name))) return method.bind(target);
      return async (...args: unknown[]) => {
        const answer = await method.apply(target, args);
        for (let i = 0; i < ticks; i++) await new Promise((resolve) => setTimeout(resolve, 0));
        return answer;
      };
    },
  });
}
