import type { Checkable } from "../contracts/health.ts";
import { assertUsable } from "../contracts/health.ts";
import type { Clock } from "../contracts/clock.ts";

/** What came of one of several items. */
export type Outcome<T> = { ok: true; value: T } | { ok: false; error: unknown };

/** Milliseconds that a store has to say that it works. */
const CHECK_MS = 2_000;

/** Whether stores work, so that what failed is not their fault. */
export async function areUsable(
  clock: Clock,
  ...stores: readonly (Checkable | undefined)[]
): Promise<boolean> {
  let timer: unknown;
  const late = new Promise<never>((_, reject) => {
    timer = clock.setTimeout(() => reject(new Error("no answer")), CHECK_MS);
  });
  try {
    const checks = stores.flatMap((store) => store === undefined ? [] : assertUsable(store));
    await Promise.race([Promise.all(checks), late]);
    return true;
  } catch {
    return false;
  } finally {
    clock.clearTimeout(timer);
  }
}

/** Does something with each item; what fails is its own failure. */
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
 * Does something with all items at once, which is cheaper; and when that fails though the store
 * works, with halves of them, until those are alone that fail whatever they are with.
 *
 * @param isUsable Whether the store works.
 * @throws {unknown} What it failed with when the store does not work.
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
