/**
 * Starts a Sentry SDK in a process that has none: one that is built in, or one that the caller has.
 * An entry of its own, since whoever imports it from JSR has the core of Sentry's SDKs downloaded.
 *
 * @module
 */
import type { StartedSentry, StartSentryOptions } from "./start_with.ts";
import { startWith } from "./start_with.ts";

export { assertDsn } from "./dsn.ts";
export type { SentrySdk } from "./sdk.ts";
export type { StartableSdk, StartedSentry, StartSentryOptions } from "./start_with.ts";

/**
 * Initialises an SDK so that it sends the errors it is given and nothing else: no handlers of
 * uncaught errors, no instrumentation, no breadcrumbs, no traces.
 *
 * @throws {TypeError} The DSN is not one. The message does not contain it, since it holds a key.
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
