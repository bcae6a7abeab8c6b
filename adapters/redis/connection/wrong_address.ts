/** Returns the error for an invalid address; it contains no part of the address. */
export function wrong(problem: string): TypeError {
  return new TypeError(`createRedisAdapters(): the address ${problem}`);
}
