/**
 * Calls back in a later turn of the event loop, so that what has come in meanwhile is heard before.
 *
 * Where there is no `setImmediate` (browsers, some workers) it is a timer, which is later than need be.
 */
export function nextTurn(callback: () => void): void {
  const { setImmediate } = globalThis as { setImmediate?: (callback: () => void) => void };
  if (setImmediate !== undefined) setImmediate(callback);
  else setTimeout(callback, 0);
}
