import type { BroadcastProvider, ShortTermStore } from "@taskcast/core";
import { MemoryBroadcastProvider, MemoryShortTermStore } from "@taskcast/core";
import type { StartSettings } from "./settings.ts";
import { SettingsError } from "./settings.ts";

/** Where a server keeps its tasks. */
export interface Storage {
  broadcast: BroadcastProvider;
  shortTerm: ShortTermStore;
  /** Nobody else uses it, so nobody leaves work in it. */
  isPrivate: boolean;
}

/**
 * Opens what the settings name.
 *
 * @throws {SettingsError} If it cannot be opened.
 */
export async function openStorage(
  { storage, maxMemoryMiB }: Pick<StartSettings, "storage" | "maxMemoryMiB">,
): Promise<Storage> {
  if (storage.kind === "memory") {
    return {
      broadcast: new MemoryBroadcastProvider(),
      shortTerm: new MemoryShortTermStore({ maxBytes: maxMemoryMiB * 1024 * 1024 }),
      isPrivate: true,
    };
  }
  const { path } = storage;
  try {
    // Loaded only when it is used: not every runtime has SQLite.
    const { createSqliteAdapters } = await import("@taskcast/sqlite");
    return { ...createSqliteAdapters({ path }), isPrivate: false };
  } catch (error) {
    throw new SettingsError(`Cannot open the SQLite file "${path}": ${(error as Error).message}`);
  }
}
