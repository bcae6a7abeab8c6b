/**
 * Tasks as append-only logs that any number of readers follow: the engine, its rules, the
 * contracts of its adapters, and the memory adapters. No dependency, no runtime-specific API.
 *
 * @module
 */
export * from "./config/mod.ts";
export * from "./contracts/mod.ts";
export * from "./engine/mod.ts";
export * from "./memory/mod.ts";
export * from "./protocol/mod.ts";
export * from "./rules/mod.ts";
