/** Callbacks by signal. */
const callbacks = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls back when a signal aborts, at once if it has. All callbacks of a signal share one listener,
 * because Node warns of a leak when there are more than ten.
 *
 * @returns A function that removes the callback.
 */
export function onAbort(signal: AbortSignal | null | undefined, callback: () => void): () => void {
  if (!signal) return () => {};
  if (signal.aborted) {
    callback();
    return () => {};
  }
  let waiting = callbacks.get(signal);
  if (waiting === undefined) {
    const all = waiting = new Set();
    callbacks.set(signal, all);
    signal.addEventListener("abort", () => all.forEach((each) => each()), { once: true });
  }
  const own = () => callback(); // The same callback may wait twice.
  waiting.add(own);
  return () => waiting.delete(own);
}
