export { MemoryBroadcastProvider } from "./broadcast.ts";
export { MemoryLongTermStore } from "./long_term_store.ts";
export type { MemoryStoreOptions } from "./short_term_store.ts";
export { MemoryShortTermStore } from "./short_term_store.ts";
export { TaskTable } from "./task_table.ts";
export { memoryPlugin } from "./plugin.ts";
