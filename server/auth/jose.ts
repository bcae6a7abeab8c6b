/** The library that signs and checks tokens. */
export type Jose = typeof import("jose");

let loading: Promise<Jose> | undefined;

/** Loads it when a token or a ticket is first looked at: it has 46 modules, 10 ms of a start. */
export function jose(): Promise<Jose> {
  return loading ??= import("jose");
}
