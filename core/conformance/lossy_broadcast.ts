import type { BroadcastProvider } from "../contracts/broadcast.ts";
import { seededRandom } from "./seeded_random.ts";

/** The faults of the layer, as probabilities from 0 to 1. */
export interface LossyOptions {
  /** Seed of the faults; the same seed gives the same faults. @default {1} */
  seed?: number;
  /** Share of signals that are dropped. @default {0.4} */
  dropped?: number;
  /** Share of signals that arrive twice, the second time late. @default {0.3} */
  doubled?: number;
}

/** A broadcast layer with every fault that the contract allows: it drops and doubles signals. */
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
