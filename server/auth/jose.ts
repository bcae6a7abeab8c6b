/** The library that signs and checks tokens. */
export type Jose = typeof import("jose");

let loading: Promise<Jose> | undefined;

/** Loads the library on first use. Its 46 modules take 10 ms, which a start need not pay. */
export function jose(): Promise<Jose> {
  return loading ??= import("jose");
}
