/**
 * Failed tasks, timeouts and errors that no caller hears of, reported to Sentry through the SDK that
 * the host has initialised, of whatever version. Brings no SDK along; `@taskcast/sentry/start` starts
 * one for a process that has none.
 *
 * @module
 */
export type { SentryHooksOptions } from "./hooks.ts";
export { createSentryHooks } from "./hooks.ts";
export type { ReportContext } from "./reports.ts";
export type { SentrySdk } from "./sdk.ts";
