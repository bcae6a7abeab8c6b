/**
 * Reports failed tasks, timeouts and errors that reach no caller to Sentry, through the SDK that the
 * host has initialised, of any version. It contains no SDK; `@taskcast/sentry/start` starts one for a
 * process without one.
 *
 * @module
 */
export type { SentryHooksOptions } from "./hooks.ts";
export { createSentryHooks } from "./hooks.ts";
export type { ReportContext } from "./reports.ts";
export type { SentrySdk } from "./sdk.ts";
