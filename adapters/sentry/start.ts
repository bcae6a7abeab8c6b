/**
 * Starts a Sentry SDK in a process that has none: `@sentry/deno` on Deno, `@sentry/node` elsewhere.
 * An entry of its own, since whoever imports it has `@sentry/deno` downloaded.
 *
 * @module
 */
import { type StartableSdk, type StartedSentry, startWith } from "./start_with.ts";
import type { StartSentryOptions } from "./start_with.ts";

export { assertDsn } from "./dsn.ts";
export type { SentrySdk } from "./sdk.ts";
export type { StartedSentry, StartSentryOptions } from "./start_with.ts";

/**
 * Loads the SDK of this runtime and initialises it, so that it sends the errors it is given and
 * nothing else: no handlers of uncaught errors, no instrumentation, no breadcrumbs, no traces.
 *
 * @throws {TypeError} The DSN is not one. The message does not contain it, since it holds a key.
 * @throws {Error} The SDK is not installed.
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
  return await startWith(load, options);
}

async function load(): Promise<StartableSdk> {
  // A literal, so that `deno cache` and `deno compile` take it along: a server may start offline.
  if ("Deno" in globalThis) return await import("@sentry/deno");
  // Not a literal, so that Deno does not download it too.
  const name = "@sentry/node";
  try {
    return await import(name);
  } catch (cause) {
    throw new Error(`Cannot start Sentry: the package "${name}" cannot be loaded; install it`, {
      cause,
    });
  }
}
