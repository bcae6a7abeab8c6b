/**
 * The types of a configuration file, in parts. `TaskcastConfig` of `@taskcast/core` is the whole.
 *
 * @module
 */
export type * from "./adapters.ts";
export type * from "./auth.ts";
export type * from "./config.ts";
export type * from "./sentry.ts";
export type * from "./webhook.ts";
export type { AuthContext, AuthFunction, JwtAlgorithm } from "../contracts/auth.ts";
