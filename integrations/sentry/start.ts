/**
 * Starts a Sentry SDK in a process without one: the built-in one, or one that the caller passes. It
 * is a separate entry point because it downloads the core of Sentry's SDKs when imported from JSR.
 *
 * @module
 */
import type { StartedSentry, StartSentryOptions } from "./start_with.ts";
import { startWith } from "./start_with.ts";

export { assertDsn } from "./dsn.ts";
export type { SentrySdk } from "./sdk.ts";
export type { StartableSdk, StartedSentry, StartSentryOptions } from "./start_with.ts";

/**
 * Initialises an SDK that only sends the errors it is given: no handlers of uncaught errors, no
 * instrumentation, no breadcrumbs, no traces.
 *
 * @throws {TypeError} If the DSN is malformed. The message does not quote it, since it has a key.
 *
 * @example
 * ```ts
 * import { createSentryHooks } from "@taskcast/sentry";
 * import { startSentry } from "@taskcast/sentry/start";
 *
 * async function main(dsn: string): Promise<void> {
 *   const { sentry, close } = await startSentry({ dsn });
 *   const hooks = createSentryHooks({ sentry });
 *   // …
 *   await close();
 * }
 * ```
 */
export async function startSentry(options: StartSentryOptions): Promise<StartedSentry> {
  const { sdk } = options;
  return await startWith(
    async () => sdk ?? (await import("./built_in_sdk.ts")).builtInSdk,
    options,
  );
}
