/**
 * A reason to end a wait early: the page is visible again, the network is back, or the machine
 * slept.
 */
export type Wake = "visible" | "online" | "awake";

const TICK_MS = 5_000;

/** Gap between ticks that counts as sleep. Timers of hidden pages fire once a minute in browsers. */
const SLEEP_MS = 90_000;

const callbacks = new Set<(wake: Wake) => void>();
let ticks: ReturnType<typeof setInterval> | undefined;
let lastTickMs = 0;

function notifyAll(wake: Wake): void {
  for (const callback of [...callbacks]) callback(wake);
}

function onOnline(): void {
  notifyAll("online");
}

function onVisible(): void {
  if ((globalThis as { document?: { hidden: boolean } }).document?.hidden !== true) {
    notifyAll("visible");
  }
}

function tick(): void {
  const nowMs = Date.now();
  const isAwake = nowMs - lastTickMs > SLEEP_MS;
  lastTickMs = nowMs;
  if (isAwake) notifyAll("awake");
}

/**
 * Calls back on each {@linkcode Wake}. All callbacks share one interval and one set of listeners,
 * which exist only while there are callbacks.
 *
 * @returns A function that removes the callback.
 */
export function onWake(callback: (wake: Wake) => void): () => void {
  const { addEventListener: listen, removeEventListener: unlisten } = globalThis as Partial<
    typeof globalThis
  >;
  if (callbacks.size === 0) {
    lastTickMs = Date.now();
    ticks = setInterval(tick, TICK_MS);
    // Node has no such listeners.
    listen?.("online", onOnline);
    listen?.("visibilitychange", onVisible);
  }
  callbacks.add(callback);
  return () => {
    if (!callbacks.delete(callback) || callbacks.size > 0) return;
    clearInterval(ticks);
    unlisten?.("online", onOnline);
    unlisten?.("visibilitychange", onVisible);
  };
}
