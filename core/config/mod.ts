/**
 * The types of a configuration file, in parts, and the contract of its authentication.
 * `TaskcastConfig` of `@taskcast/core` is the whole.
 *
 * @module
 */
export * from "./auth.ts";
export type * from "./_generated_config.ts";
