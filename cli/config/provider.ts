import type { AdapterRole, Adapters } from "@taskcast/core/adapter";

/** An adapter that is chosen by name, with its options. */
export interface Provider {
  provider: string;
  [option: string]: unknown;
}

/** The adapter of one role: a provider with its options, or an instance. */
export type AdapterSetting<Role extends AdapterRole = AdapterRole> = Provider | Adapters[Role];

/** The adapters of a server, by role. */
export type AdapterSettings = { [Role in AdapterRole]?: AdapterSetting<Role> };

/** Providers whose path may be a file. */
const WITH_FILE: readonly string[] = ["sqlite", "deno-kv"];

/** Returns whether an adapter is chosen by name, rather than an instance made by a program. */
export function isNamed(adapter: unknown): adapter is Provider {
  return typeof adapter === "object" && adapter !== null && "provider" in adapter &&
    typeof adapter.provider === "string";
}

/** Returns the file of an adapter; `undefined` if it uses memory or the network. */
export function fileOf({ provider, path }: Provider): string | undefined {
  const isFile = WITH_FILE.includes(provider) && typeof path === "string" &&
    path !== ":memory:" && !/^https?:\/\//.test(path);
  return isFile ? path : undefined;
}
