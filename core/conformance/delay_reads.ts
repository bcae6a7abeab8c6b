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
 * A store whose answers to reads arrive a few ticks late, as they do over a network: what they say
 * may be outdated when it arrives. Code that only works when nothing happens in between fails here.
 *
 * @param ticks How late: turns of the event loop.
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
