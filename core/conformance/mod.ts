/**
 * The conformance suite: the checks that every adapter of Taskcast passes, including those of third
 * parties.
 *
 * @module
 */
export type { BroadcastPair } from "./broadcast.ts";
export { testBroadcast } from "./broadcast.ts";
export { delayReads } from "./delay_reads.ts";
export type { LossyOptions } from "./lossy_broadcast.ts";
export { lossyBroadcast } from "./lossy_broadcast.ts";
export { testLongTermStore } from "./long_term_store.ts";
export { testShortTermStore } from "./short_term_store.ts";
export type { ConformanceOptions } from "./suite.ts";
