export { MemoryBroadcastProvider } from "./broadcast.ts";
export type { MemoryStoreOptions } from "./short_term_store.ts";
export { MemoryShortTermStore } from "./short_term_store.ts";
