import type { TaskcastConfig } from "@taskcast/core";

/** Where a server listens that asks for tokens, unless it is told. */
const ALL_INTERFACES = "0.0.0.0";

/** The address to listen on; `undefined` is loopback, 127.0.0.1 and ::1. */
export function hostOf({ host, auth }: TaskcastConfig): string | undefined {
  if (host !== undefined) return host;
  return (auth?.mode ?? "none") === "none" ? undefined : ALL_INTERFACES;
}

/**
 * Whether only this machine's own pages and programs are meant to call. Whoever names an address or
 * puts a proxy before the server has decided who reaches it.
 */
export function isLoopbackOnly(config: TaskcastConfig): boolean {
  return hostOf(config) === undefined && (config.trustProxy ?? 0) === 0;
}

/** More names that lead to the server: a list, or a text with commas between. */
export function allowedHosts({ allowHosts = [] }: TaskcastConfig): string[] {
  return [allowHosts].flat().flatMap((text) => text.split(",")).map((text) =>
    text.trim().toLowerCase()
  );
}

/** Why a text is not the name of a host, or `undefined` if it is one. */
export function hostNameProblem(name: string): string | undefined {
  return /^(?:[a-z\d_](?:[a-z\d_-]*[a-z\d_])?\.)*[a-z\d_](?:[a-z\d_-]*[a-z\d_])?$|^\[[\da-f:.]+\]$/
      .test(name)
    ? undefined
    : "must be the name of a host, such as dev.example, without scheme, port and path";
}
