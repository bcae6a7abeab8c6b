import { pathToFileURL } from "node:url";
import type { StartableSdk } from "@taskcast/sentry/start";
import type { TaskcastHooks } from "@taskcast/core";
import type { SentryConfig } from "@taskcast/core/config";
import { firstLine, SettingsError } from "../config/settings_error.ts";
import { findPackage } from "../files/project_packages.ts";

/** Reports to Sentry while the server runs. */
export interface Reporting {
  hooks: TaskcastHooks;
  /** Sends the remaining reports, within two seconds. */
  close(): Promise<void>;
}

/**
 * Asserts that the reports can be started; starts nothing.
 *
 * @throws {SettingsError} If the DSN is invalid; without the DSN, which contains a key.
 */
export async function assertReporting(sentry: SentryConfig | undefined): Promise<void> {
  if (!sentry?.dsn) return;
  const start: { assertDsn(dsn: unknown): void } = await import("@taskcast/sentry/start");
  try {
    start.assertDsn(sentry.dsn);
  } catch (error) {
    throw new SettingsError(firstLine((error as Error).message));
  }
}

/**
 * Starts Sentry, if there is a DSN: the SDK of the user's project, or else the built-in one. It is
 * loaded only then.
 *
 * @param packageFolders Folders in which the user's packages are searched.
 * @throws {SettingsError} If the DSN is invalid or the SDK fails; without the DSN, which contains a key.
 */
export async function startReporting(
  sentry: SentryConfig | undefined,
  packageFolders: readonly string[],
): Promise<Reporting> {
  if (!sentry?.dsn) return { hooks: {}, close: () => Promise.resolve() };
  const { dsn, environment, release, ...captures } = sentry;
  try {
    const [{ startSentry }, { createSentryHooks }] = await Promise.all([
      import("@taskcast/sentry/start"),
      import("@taskcast/sentry"),
    ]);
    const sdk = await projectSdk(packageFolders);
    const started = await startSentry({ dsn, environment, release, sdk });
    return {
      hooks: createSentryHooks({ ...captures, sentry: started.sentry }),
      close: () => started.close(),
    };
  } catch (error) {
    throw new SettingsError(firstLine((error as Error).message));
  }
}

/** Returns the SDK of the user's project; none on Deno, where it would load a lot. */
async function projectSdk(packageFolders: readonly string[]): Promise<StartableSdk | undefined> {
  if ("Deno" in globalThis) return undefined;
  const file = await findPackage("@sentry/node", packageFolders);
  if (file === undefined) return undefined;
  const { default: main, ...named } = await import(pathToFileURL(file).href);
  const sdk = { ...main, ...named } as StartableSdk;
  // Versions before 8 have other integrations.
  return typeof sdk.linkedErrorsIntegration === "function" ? sdk : undefined;
}
