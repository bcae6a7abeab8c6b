import { migratePostgres } from "@taskcast/postgres";
import { assertAddress, describeAddress } from "../server/address.ts";
import { SettingsError } from "../config/settings_error.ts";
import type { Terminal } from "../command_line/terminal.ts";

/**
 * `taskcast migrate`: brings the tables in PostgreSQL up to date, for servers that are started with
 * `--no-auto-migrate`.
 *
 * @returns The exit code.
 */
export async function migrate(urls: readonly string[], terminal: Terminal): Promise<number> {
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
