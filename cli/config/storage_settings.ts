import type { AdaptersConfig } from "@taskcast/core/config";
import type { AdapterNames } from "@taskcast/server";
import type { AdapterSettings } from "./provider.ts";
import { isNamed } from "./provider.ts";
import { PROVIDER_DEFAULTS } from "./schema/keys.ts";

/** Stores of tasks. */
export interface StorageSettings {
  /** Adapters by role. */
  adapters: AdapterSettings;
  /** Description in the start message. */
  description: string;
  /** Names of the adapters, by role. */
  providers: AdapterNames;
  /** No other process uses the stores, so none leaves work behind in them. */
  isPrivate: boolean;
}

/** Returns the storage settings for the chosen adapters. */
export function storageOf({ broadcast, shortTerm, longTerm }: AdaptersConfig): StorageSettings {
  const adapters = {
    broadcast: withDefaults(broadcast),
    shortTerm: withDefaults(shortTerm),
    ...(longTerm === undefined ? {} : { longTerm: withDefaults(longTerm) }),
  } as AdapterSettings;
  const [store, wakeUps] = [nameOf(adapters.shortTerm), nameOf(adapters.broadcast)];
  return {
    adapters,
    description: store +
      (wakeUps === store ? "" : `, wake-ups: ${wakeUps}`) +
      (longTerm === undefined ? "" : `, archive: ${nameOf(longTerm)}`),
    providers: {
      broadcast: providerOf(broadcast),
      shortTermStore: providerOf(shortTerm),
      ...(longTerm === undefined ? {} : { longTermStore: providerOf(longTerm) }),
    },
    isPrivate: store === "memory" && wakeUps === "memory" && longTerm === undefined,
  };
}

/**
 * Fills in defaults, so that an adapter with defaults equals the same adapter with explicit values.
 */
function withDefaults(adapter: unknown): unknown {
  if (!isNamed(adapter)) return adapter;
  const defined = Object.fromEntries(
    Object.entries(adapter).filter(([, value]) => value !== undefined),
  );
  if (adapter.provider !== "memory" && adapter.provider !== "sqlite") return defined;
  return { ...PROVIDER_DEFAULTS[adapter.provider], ...defined };
}

function providerOf(adapter: unknown): string {
  return isNamed(adapter) ? adapter.provider : adapter?.constructor.name ?? "of your own";
}

function nameOf(adapter: unknown): string {
  return isNamed(adapter) && adapter.provider === "sqlite"
    ? `sqlite ${adapter.path ?? "taskcast.db"}`
    : providerOf(adapter);
}
