import type { SentryConfig, TaskcastHooks } from "@taskcast/core";
import { firstLine } from "./address.ts";
import { SettingsError } from "./settings_error.ts";

/** Reports to Sentry for as long as the server runs. */
export interface Reporting {
  hooks: TaskcastHooks;
  /** Sends what is left, within two seconds. */
  close(): Promise<void>;
}

/**
 * Requires that what is configured can be started; starts nothing.
 *
 * @throws {SettingsError} If the DSN is none; without the DSN, which holds a key.
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
 * Starts Sentry, if there is a DSN. The SDK is loaded only then.
 *
 * @throws {SettingsError} If the DSN is none, or there is no SDK; without the DSN, which holds a key.
 */
export async function startReporting(sentry: SentryConfig | undefined): Promise<Reporting> {
  if (!sentry?.dsn) return { hooks: {}, close: () => Promise.resolve() };
  const { dsn, environment, release, ...captures } = sentry;
  try {
    const [{ startSentry }, { createSentryHooks }] = await Promise.all([
      import("@taskcast/sentry/start"),
      import("@taskcast/sentry"),
    ]);
    const started = await startSentry({ dsn, environment, release });
    return {
      hooks: createSentryHooks({ ...captures, sentry: started.sentry }),
      close: () => started.close(),
    };
  } catch (error) {
    throw new SettingsError(firstLine((error as Error).message));
  }
}
