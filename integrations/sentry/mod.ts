/**
 * Reports failed tasks, timeouts and errors that no caller gets to Sentry, through the SDK of any
 * version that the host has initialised. It contains no SDK itself; `@taskcast/sentry/start` starts
 * one for a process without one.
 *
 * @module
 */
export type { SentryHooksOptions } from "./hooks.ts";
export { createSentryHooks } from "./hooks.ts";
export type { ReportContext } from "./reports.ts";
export type { SentrySdk } from "./sdk.ts";
