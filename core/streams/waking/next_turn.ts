/**
 * Calls back in a later turn of the event loop, so that pending input is handled first.
 *
 * Without `setImmediate` (browsers, some workers) it uses a timer, which fires later than necessary.
 */
export function nextTurn(callback: () => void): void {
  const { setImmediate } = globalThis as { setImmediate?: (callback: () => void) => void };
  if (setImmediate !== undefined) setImmediate(callback);
  else setTimeout(callback, 0);
}
