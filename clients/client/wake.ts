/**
 * An event after which waiting may be pointless: the page is visible again, the network is back, or
 * the machine slept.
 */
export type Wake = "visible" | "online" | "awake";

const TICK_MS = 5_000;

/** Browsers let the timers of hidden pages fire once a minute; a longer gap was sleep. */
const SLEEP_MS = 90_000;

const waiting = new Set<(wake: Wake) => void>();
let ticks: ReturnType<typeof setInterval> | undefined;
let lastTickMs = 0;

function tell(wake: Wake): void {
  for (const each of [...waiting]) each(wake);
}

function onOnline(): void {
  tell("online");
}

function onVisible(): void {
  if ((globalThis as { document?: { hidden: boolean } }).document?.hidden !== true) tell("visible");
}

function tick(): void {
  const nowMs = Date.now();
  const isAwake = nowMs - lastTickMs > SLEEP_MS;
  lastTickMs = nowMs;
  if (isAwake) tell("awake");
}

/**
 * Calls back whenever waiting any longer may be pointless. All callbacks share one interval and the
 * listeners, which exist only while there are callbacks.
 *
 * @returns A function that removes the callback.
 */
export function onWake(callback: (wake: Wake) => void): () => void {
  const { addEventListener: listen, removeEventListener: unlisten } = globalThis as Partial<
    typeof globalThis
  >;
  if (waiting.size === 0) {
    lastTickMs = Date.now();
    ticks = setInterval(tick, TICK_MS);
    // Node has no such listeners.
    listen?.("online", onOnline);
    listen?.("visibilitychange", onVisible);
  }
  waiting.add(callback);
  return () => {
    if (!waiting.delete(callback) || waiting.size > 0) return;
    clearInterval(ticks);
    unlisten?.("online", onOnline);
    unlisten?.("visibilitychange", onVisible);
  };
}
