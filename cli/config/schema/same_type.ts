/**
 * `true` if two types are the same, including their optional members: an assignment would not notice
 * a member that only one of them has.
 */
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2)
  ? true
  : false;

/** Compiles only for the type `true`: `assertSameType<Same<A, B>>()`. */
export function assertSameType<_Is extends true>(): void {}
