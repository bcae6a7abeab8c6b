/** Features of a page, which servers and workers lack. */
interface FrameHost {
  requestAnimationFrame?: (run: () => void) => number;
  cancelAnimationFrame?: (frame: number) => void;
  document?: { visibilityState: string };
}

/** Milliseconds between updates where there are no frames. */
const WITHOUT_FRAMES_MS = 16;

/** Milliseconds after which a timer replaces a requested frame, because the page may be hidden. */
const MISSED_FRAME_MS = 250;

const waiting = new Set<() => void>();
let cancelWake: (() => void) | undefined;

/**
 * Calls back in the next animation frame, together with all other callbacks. A timer is used where
 * there are no frames: in a hidden tab, or without a page.
 *
 * @returns A function that cancels the call.
 */
export function inNextFrame(run: () => void): () => void {
  waiting.add(run);
  cancelWake ??= wakeUp();
  return () => {
    if (!waiting.delete(run) || waiting.size > 0) return;
    cancelWake?.();
    cancelWake = undefined;
  };
}

function wakeUp(): () => void {
  const host = globalThis as FrameHost;
  const hidden = host.document?.visibilityState === "hidden";
  const frame = hidden ? undefined : host.requestAnimationFrame?.(wake);
  const timer = setTimeout(wake, frame === undefined ? WITHOUT_FRAMES_MS : MISSED_FRAME_MS);
  const cancel = () => {
    clearTimeout(timer);
    if (frame !== undefined) host.cancelAnimationFrame?.(frame);
  };
  function wake(): void {
    cancel();
    cancelWake = undefined;
    for (const run of [...waiting]) {
      waiting.delete(run); // Before it runs: if it throws, the others still run in a later frame.
      run();
    }
  }
  return cancel;
}
