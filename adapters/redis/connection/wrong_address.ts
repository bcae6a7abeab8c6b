/** Refuses an address, and shows nothing of it. */
export function wrong(problem: string): TypeError {
  return new TypeError(`createRedisAdapters(): the address ${problem}`);
}
