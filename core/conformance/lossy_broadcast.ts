import type { BroadcastProvider } from "../contracts/broadcast.ts";
import { seededRandom } from "./seeded_random.ts";

/** How bad the layer is: shares from 0 to 1. */
export interface LossyOptions {
  /** Makes the same signals suffer each time. @default {1} */
  seed?: number;
  /** Signals that never arrive. @default {0.4} */
  dropped?: number;
  /** Signals that arrive twice, the second time late. @default {0.3} */
  doubled?: number;
}

/** A broadcast layer that does the worst it may do: it drops and doubles signals. */
export function lossyBroadcast(
  broadcast: BroadcastProvider,
  { seed = 1, dropped = 0.4, doubled = 0.3 }: LossyOptions = {},
): BroadcastProvider {
  const random = seededRandom(seed);
  return {
    async publish(signal) {
      const fate = random();
      if (fate < dropped) return;
      await broadcast.publish(signal);
      if (fate < dropped + doubled) setTimeout(() => void broadcast.publish(signal), 1);
    },
    subscribe: (scope, onSignal) => broadcast.subscribe(scope, onSignal),
    check: () => broadcast.check(),
    close: () => broadcast.close(),
  };
}
