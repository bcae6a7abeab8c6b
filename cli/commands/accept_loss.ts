import type { ShortTermStore } from "@taskcast/core/adapter";
import { TaskcastError } from "@taskcast/core/protocol";
import type { Terminal } from "../command_line/terminal.ts";
import { isNamed } from "../config/provider.ts";
import { SettingsError } from "../config/settings_error.ts";
import type { StartSettings } from "../config/start_settings.ts";
import { openAdapters, PROVIDERS } from "../server/open_adapters.ts";

/** A store that can accept a loss, as that of `@taskcast/redis`. */
type LossAccepting = ShortTermStore & { acceptLoss(...words: string[]): Promise<number> };

/** Built-in adapters that store tasks elsewhere. */
const NOT_REDIS: ReadonlySet<string> = new Set(PROVIDERS.filter((name) => name !== "redis"));

/**
 * `taskcast redis accept-loss`: accepts that data in Redis is lost, so that all servers that knew it
 * continue with the remaining data.
 *
 * @param words Names of the lost data, as servers report them.
 * @returns The exit code: 1 if none of it is lost.
 */
export async function acceptLoss(
  { storage, packageFolders }: StartSettings,
  words: readonly string[],
  terminal: Terminal,
): Promise<number> {
  const setting = storage.adapters.shortTerm;
  // Only Redis is opened: opening SQLite would create its file.
  if (setting === undefined || (isNamed(setting) && NOT_REDIS.has(setting.provider))) {
    throw noRedis();
  }
  const { adapters, close } = await openAdapters({ shortTerm: setting }, packageFolders);
  try {
    const { shortTerm } = adapters;
    if (!isLossAccepting(shortTerm)) throw noRedis();
    const lost = await shortTerm.acceptLoss(...words);
    if (lost === 0) {
      terminal.note(`Nothing was changed: the data ${words.join(", ")} is still there`);
      return 1;
    }
    terminal.note(
      `Accepted: the data ${words.join(", ")} is lost in ${partitions(lost)}. Servers that name ` +
        "it go on with what is there within a second; others are not changed",
    );
    return 0;
  } catch (error) {
    if (error instanceof TypeError || error instanceof TaskcastError) {
      throw new SettingsError(error.message.replace("acceptLoss()", "accept-loss"));
    }
    throw error;
  } finally {
    await close();
  }
}

function noRedis(): SettingsError {
  return new SettingsError(
    "accept-loss needs tasks that are kept in Redis: name it with --redis-url or -c",
  );
}

function isLossAccepting(store: ShortTermStore): store is LossAccepting {
  return "acceptLoss" in store && typeof store.acceptLoss === "function";
}

function partitions(count: number): string {
  return count === 1 ? "1 partition" : `${count} partitions`;
}
