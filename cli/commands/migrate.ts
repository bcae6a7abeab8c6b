import { ADAPTER_ROLES } from "@taskcast/core/adapter";
import { migratePostgres } from "@taskcast/postgres";
import type { Terminal } from "../command_line/terminal.ts";
import { effectiveConfig } from "../config/effective.ts";
import type { Environment, StartFlags } from "../config/layers.ts";
import { isNamed } from "../config/provider.ts";
import { SettingsError } from "../config/settings_error.ts";
import { assertAddress, describeAddress } from "../server/address.ts";

/**
 * `taskcast migrate`: updates the tables in PostgreSQL, for servers that are started with
 * `--no-auto-migrate`.
 *
 * @param folder The working folder.
 * @returns The exit code.
 */
export async function migrate(
  flags: StartFlags,
  { env, folder, terminal }: { env: Environment; folder: string; terminal: Terminal },
): Promise<number> {
  const urls = await databases(flags, env, folder);
  if (urls.length === 0) {
    throw new SettingsError("migrate needs --postgres-url or TASKCAST_POSTGRES_URL");
  }
  for (const url of urls) {
    assertAddress("postgres", url);
    let versions: { from: number; to: number };
    try {
      versions = await migratePostgres({ url });
    } catch (error) {
      throw describeAddress("postgres", url, error);
    }
    const { from, to } = versions;
    terminal.note(
      from === to
        ? `The tables are up to date (version ${to})`
        : `The tables were brought from version ${from} to ${to}`,
    );
  }
  return 0;
}

/** Returns the databases to migrate: the explicit one, else those of the configuration. */
async function databases(flags: StartFlags, env: Environment, folder: string): Promise<string[]> {
  const url = flags.postgresUrl ?? env.TASKCAST_POSTGRES_URL;
  if (url !== undefined && url !== "") return [String(url)];
  const { adapters = {} } = (await effectiveConfig(flags, env, folder)).config;
  const urls = ADAPTER_ROLES.flatMap((role) => {
    const adapter: unknown = adapters[role];
    return isNamed(adapter) && adapter.provider === "postgres" ? [adapter.url as string] : [];
  });
  return [...new Set(urls)];
}
