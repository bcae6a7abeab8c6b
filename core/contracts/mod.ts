export * from "./broadcast.ts";
export * from "./clock.ts";
export * from "./hooks.ts";
export * from "./long_term_store.ts";
export * from "./plugin.ts";
export * from "./records.ts";
export * from "./short_term_store.ts";
export * from "./task_reader.ts";
