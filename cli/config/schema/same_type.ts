/**
 * Whether two types are the same, optional members included: assigning one to the other would not
 * notice a member that only one of them has.
 */
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2)
  ? true
  : false;

/** Takes only `true` types: `agree<Same<A, B>>()` compiles when the types are the same. */
export function agree<_Is extends true>(): void {}
