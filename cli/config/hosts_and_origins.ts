import type { TaskcastConfig } from "@taskcast/core/config";

/** The address of a server with authentication, unless another is configured. */
const ALL_INTERFACES = "0.0.0.0";

/** Returns the address to listen on; `undefined` means loopback, 127.0.0.1 and ::1. */
export function hostOf({ host, auth }: TaskcastConfig): string | undefined {
  if (host !== undefined) return host;
  return (auth?.mode ?? "none") === "none" ? undefined : ALL_INTERFACES;
}

/**
 * Returns whether only this machine's own pages and programs are meant to call. An explicit address
 * or a proxy in front of the server is a decision about who reaches it.
 */
export function isLoopbackOnly(config: TaskcastConfig): boolean {
  return hostOf(config) === undefined && (config.trustProxy ?? 0) === 0;
}

/** Returns the additional host names of a server on loopback, in lower case. */
export function allowedHosts({ allowHosts = [] }: TaskcastConfig): string[] {
  return itemsOf(allowHosts).map((name) => name.toLowerCase());
}

/** Returns why a text is not a host name; `undefined` if it is one. */
export function hostNameProblem(name: string): string | undefined {
  return /^(?:[a-z\d_](?:[a-z\d_-]*[a-z\d_])?\.)*[a-z\d_](?:[a-z\d_-]*[a-z\d_])?$|^\[[\da-f:.]+\]$/
      .test(name)
    ? undefined
    : "must be the name of a host, such as dev.example, without scheme, port and path";
}

/** Returns the origins that a configuration names; `*` means all. */
export function originsOf(origin: string | readonly string[]): "*" | string[] {
  const origins = itemsOf(origin);
  return origins.includes("*") ? "*" : origins;
}

/** Returns the items of a list, each of which may be a text with commas. */
function itemsOf(list: string | readonly string[]): string[] {
  return [list].flat().flatMap((text) => text.split(",")).map((text) => text.trim());
}
