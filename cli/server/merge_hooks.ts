import type { TaskcastHooks } from "@taskcast/core";

type Hook = (...args: unknown[]) => unknown;

/**
 * Merges sets of hooks. Every hook is called, in this order, even if another one fails. The first
 * error is rethrown, so that the engine reports it.
 */
export function mergeHooks(...sets: readonly (TaskcastHooks | undefined)[]): TaskcastHooks {
  const byName = new Map<string, Hook[]>();
  for (const set of sets) {
    for (const [name, hook] of Object.entries(set ?? {})) {
      if (typeof hook !== "function") continue;
      byName.set(name, [...byName.get(name) ?? [], (hook as Hook).bind(set)]);
    }
  }
  return Object.fromEntries(
    [...byName].map(([name, hooks]) => [
      name,
      // Most have one, which needs no waiting for several.
      hooks.length === 1 ? hooks[0] : (...args: unknown[]) => callAll(hooks, args),
    ]),
  );
}

async function callAll(hooks: readonly Hook[], args: readonly unknown[]): Promise<void> {
  const results = await Promise.allSettled(hooks.map(async (hook) => await hook(...args)));
  const failed = results.find(({ status }) => status === "rejected");
  if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
}
