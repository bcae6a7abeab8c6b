import type { Provider } from "./choose_adapters.ts";

/** Providers whose path may be a file. */
const HAS_FILE: readonly string[] = ["sqlite", "deno-kv"];

/** The file of an adapter; `undefined` when it has none, but memory or something over the network. */
export function fileOf({ provider, path }: Provider): string | undefined {
  const isFile = HAS_FILE.includes(provider) && typeof path === "string" &&
    path !== ":memory:" && !/^https?:\/\//.test(path);
  return isFile ? path : undefined;
}
