import type { Checkable } from "../contracts/health.ts";
import { assertUsable } from "../contracts/health.ts";
import type { Clock } from "../contracts/clock.ts";
import { inTime } from "../contracts/in_time.ts";

/** The outcome for one of several items. */
export type Outcome<T> = { ok: true; value: T } | { ok: false; error: unknown };

/** Milliseconds within which a store must pass its check. */
const CHECK_MS = 2_000;

/** Returns whether stores work, so that they are not the cause of a failure. */
export async function areUsable(
  clock: Clock,
  ...stores: readonly (Checkable | undefined)[]
): Promise<boolean> {
  try {
    const checks = stores.flatMap((store) => store === undefined ? [] : assertUsable(store));
    await inTime(Promise.all(checks), CHECK_MS, () => new Error("no answer"), clock);
    return true;
  } catch {
    return false;
  }
}

/** Runs a function for each item concurrently. A failure does not affect the other items. */
export async function each<Item, T>(
  items: readonly Item[],
  run: (item: Item) => Promise<T>,
): Promise<Outcome<T>[]> {
  return await Promise.all(items.map(async (item): Promise<Outcome<T>> => {
    try {
      return { ok: true, value: await run(item) };
    } catch (error) {
      return { ok: false, error };
    }
  }));
}

/**
 * Runs a function for all items at once, which is cheaper. If that fails although the store works, the
 * items are halved repeatedly until the failing ones are isolated.
 *
 * @param isUsable Returns whether the store works.
 * @throws {unknown} The function's error if the store does not work.
 */
export async function inHalves<Item, T>(
  items: readonly Item[],
  run: (items: readonly Item[]) => Promise<readonly T[]>,
  isUsable: () => Promise<boolean>,
): Promise<Outcome<T>[]> {
  if (items.length === 0) return [];
  try {
    return (await run(items)).map((value) => ({ ok: true, value }));
  } catch (error) {
    if (!await isUsable()) throw error;
    if (items.length === 1) return [{ ok: false, error }];
    const middle = items.length >> 1;
    const first = await inHalves(items.slice(0, middle), run, isUsable);
    return [...first, ...await inHalves(items.slice(middle), run, isUsable)];
  }
}
