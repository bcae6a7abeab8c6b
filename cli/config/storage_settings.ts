import type { AdaptersConfig } from "@taskcast/core/config";
import type { AdapterNames } from "@taskcast/server";
import { PROVIDER_DEFAULTS } from "./defaults.ts";
import type { AdapterSettings } from "./provider.ts";
import { isNamed } from "./provider.ts";

/** Where tasks are kept. */
export interface StorageSettings {
  /** What plays each part. */
  adapters: AdapterSettings;
  /** As it is told at the start. */
  description: string;
  /** What plays each part, by name. */
  providers: AdapterNames;
  /** Nobody else uses it, so nobody leaves work in it. */
  isPrivate: boolean;
}

/** Makes the settings of the storage from what was chosen. */
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

/** What an adapter needs to be told, though it is what it would be anyway. */
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
