export type * from "./adapters.ts";
export type * from "./auth.ts";
export type * from "./config.ts";
export type * from "./sentry.ts";
export type * from "./webhook.ts";
